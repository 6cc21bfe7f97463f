import { describe, expect, it } from 'vitest';
import type { Measured } from './measured.ts';
import { type LoadRound, reportOf } from './report.ts';

function measured(readyMs: number, more: Partial<Measured> = {}): Measured {
  const memory = { baselineMb: 50, peakMb: 450, readyMb: 350 };
  return {
    readyMs,
    downloadedMs: readyMs / 2,
    cpuMs: readyMs,
    ...memory,
    loopDelayP99Ms: 5,
    loopDelayMaxMs: 50,
    ...more,
  };
}

const round: LoadRound = {
  ours: measured(1100, { downloadedMs: 1000 }),
  download: measured(1000, { downloadedMs: 1000 }),
  create: measured(400, { downloadedMs: 0 }),
  naive: measured(1600, { peakMb: 850 }),
  external: measured(1500),
};
const rounds = { key: '200', weightsMb: 200, isLimited: true, rounds: [round] };

describe('the report of loads', () => {
  it('compares each way with the slower of what none can do without', () => {
    const slowEngine = { ...rounds, key: '50', rounds: [{ ...round, create: measured(2200) }] };

    const { ratios } = reportOf([rounds, slowEngine]);

    expect(ratios).toMatchObject({
      ready_vs_floor_200: 1.1,
      naive_ready_vs_floor_200: 1.6,
      external_ready_vs_floor_200: 1.5,
      after_download_vs_download_200: 0.1,
      ready_vs_floor_50: 0.5,
    });
  });

  it('counts memory above what the process had before, and not for models that are small beside the engine', () => {
    const small = { ...rounds, key: 'small', weightsMb: undefined };

    const { ratios } = reportOf([rounds, small]);

    expect(ratios).toMatchObject({
      peak_rss_vs_weights_200: 2,
      resident_vs_weights_200: 1.5,
      naive_peak_rss_vs_weights_200: 4,
    });
    expect(Object.keys(ratios).filter((key) => key.includes('weights_small'))).toEqual([]);
  });

  it('tells what a load takes beside the weights, from that of a model with hardly any', () => {
    const tiny = { ...rounds, key: 'language-detection', weightsMb: undefined };

    expect(reportOf([rounds, tiny]).figures).toMatchObject({ engine_alone_mb: 400 });
    expect(reportOf([rounds]).figures).not.toHaveProperty('engine_alone_mb');
  });

  it('tells the worst delay of the event loop, of near and far S3 apart', () => {
    const late = { ...round, ours: measured(1100, { loopDelayP99Ms: 70 }) };

    const { figures } = reportOf([rounds, { ...rounds, key: '200_loopback', isLimited: false, rounds: [round, late] }]);

    expect(figures).toMatchObject({ loop_delay_p99_ms: 5, loop_delay_p99_loopback_ms: 70 });
  });
});
