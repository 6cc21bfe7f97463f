import { describe, expect, it } from 'vitest';
import { type ColdRound, reportOf } from './report.ts';
import type { Ended } from './run-to-end.ts';

const spawnedAt = Date.UTC(2026, 0, 1);

/** A process's output: marks by their ms after its start, and states of a model among them. */
function ended(lines: readonly (readonly [ms: number, name: string])[], translation: string): Ended {
  const marks = lines.map(([ms, name]) => JSON.stringify({ event: 'bench.mark', name, at: spawnedAt + ms }));
  const answer = JSON.stringify({ event: 'bench.answer', translation });
  return { spawnedAt, output: ['a line that is not JSON', ...marks, answer, ''].join('\n') };
}

function state(ms: number, name: string, model = 'translate-en-es@1.0.0'): string {
  return JSON.stringify({
    level: 'info',
    time: new Date(spawnedAt + ms).toISOString(),
    event: 'model.state',
    model,
    state: name,
  });
}

function round(translation = 'Hola.'): ColdRound {
  const floor = ended(
    [
      [60, 'imported'],
      [400, 'encoder'],
      [500, 'decoder'],
      [600, 'answered'],
    ],
    translation,
  );
  const marks = ended(
    [
      [30, 'started'],
      [130, 'imported'],
      [900, 'answered'],
      [1000, 'tenth asked'],
      [1012, 'tenth answered'],
      [2000, 'warm asked'],
      [2006, 'warm answered'],
      [3000, 'warm asked'],
      [3010, 'warm answered'],
    ],
    'Hola.',
  );
  const states = [
    state(140, 'DOWNLOADING', 'language-detection@1.0.0'),
    state(170, 'DOWNLOADING'),
    state(270, 'INITIALIZING'),
    state(770, 'WARMING'),
    state(870, 'READY'),
  ];
  return {
    first: { ...marks, output: [...states, marks.output].join('\n') },
    floor,
    floorExported: { ...floor, spawnedAt: spawnedAt - 300 },
    init: ended(
      [
        [30, 'started'],
        [90, 'imported'],
      ],
      '',
    ),
    bareInit: ended(
      [
        [30, 'started'],
        [60, 'imported'],
      ],
      '',
    ),
  };
}

describe('the report of a cold start', () => {
  it('divides the time to the first translation into phases that add up to it', () => {
    const { figures } = reportOf([round()]);

    expect(figures).toMatchObject({
      ours_first_translation_ms: 900,
      ours_node_start_ms: 30,
      ours_init_ms: 100,
      ours_catalog_ms: 40,
      ours_download_ms: 100,
      ours_sessions_ms: 500,
      ours_warm_up_ms: 100,
      ours_request_ms: 30,
      floor_first_translation_ms: 600,
      floor_translation_ms: 100,
    });
  });

  it('compares with the floor, with the warm process and with the bare handler', () => {
    const { ratios } = reportOf([round(), round(), round()]);

    expect(ratios).toEqual({
      first_translation_vs_floor: 1.5,
      first_translation_vs_floor_exported: 1,
      tenth_vs_warm: 1.5,
      init_vs_bare: 2,
      init_vs_bare_from_process_start: 1.5,
    });
  });

  it('refuses to compare two sides that did not do the same', () => {
    expect(() => reportOf([round('Adiós.')])).toThrow('answer differently');
  });
});
