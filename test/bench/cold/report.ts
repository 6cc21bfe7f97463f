import type { Report } from '../benchmark.ts';
import { median, medianRatio } from '../statistics.ts';
import { readAnswer, readMarks } from './marks.ts';
import type { Ended } from './run-to-end.ts';

/** What one round of each process has written. `first` and the floors translate the same sentence. */
export interface ColdRound {
  readonly first: Ended;
  /** With the graphs that we publish. */
  readonly floor: Ended;
  /** With the graphs as they were exported. */
  readonly floorExported: Ended;
  readonly init: Ended;
  readonly bareInit: Ended;
}

/** @throws when the sides have answered differently: then their times say nothing */
function checkAnswers({ first, floor, floorExported }: ColdRound): void {
  const [ours, ...floors] = [first, floor, floorExported].map(({ output }) => readAnswer(output));
  if (ours === undefined || floors.some((answer) => answer !== ours))
    throw new Error('the function and the floor answer differently');
}

/** Phases follow each other: each begins where the one before ends. The first begins when the process is started. */
const OUR_PHASES = {
  node_start_ms: 'started',
  init_ms: 'imported',
  catalog_ms: 'DOWNLOADING',
  download_ms: 'INITIALIZING',
  sessions_ms: 'WARMING',
  warm_up_ms: 'READY',
  request_ms: 'answered',
};
const FLOOR_PHASES = {
  node_start_and_import_ms: 'imported',
  encoder_session_ms: 'encoder',
  decoder_session_ms: 'decoder',
  translation_ms: 'answered',
};

const MODEL = 'translate-en-es';

export function reportOf(rounds: readonly ColdRound[]): Report {
  rounds.forEach(checkAnswers);
  const first = rounds.map((round) => timesOf(round.first));
  const floor = rounds.map((round) => timesOf(round.floor));
  const floorExported = rounds.map((round) => timesOf(round.floorExported));
  const init = rounds.map((round) => timesOf(round.init));
  const bare = rounds.map((round) => timesOf(round.bareInit));
  const figures: Record<string, number> = {};
  const phasesOf = (prefix: string, phases: Readonly<Record<string, string>>, times: readonly Times[]) => {
    let before = 'spawned';
    for (const [key, mark] of Object.entries(phases)) {
      const from = before;
      figures[`${prefix}_${key}`] = median(times.map((time) => time.between(from, mark)));
      before = mark;
    }
  };
  const total = (times: readonly Times[], mark: string) => times.map((time) => time.between('spawned', mark));
  const inside = (times: readonly Times[]) => times.map((time) => time.between('started', 'imported'));

  figures['ours_first_translation_ms'] = median(total(first, 'answered'));
  phasesOf('ours', OUR_PHASES, first);
  figures['floor_first_translation_ms'] = median(total(floor, 'answered'));
  phasesOf('floor', FLOOR_PHASES, floor);
  figures['floor_exported_first_translation_ms'] = median(total(floorExported, 'answered'));
  phasesOf('floor_exported', FLOOR_PHASES, floorExported);
  const tenth = first.map((times) => times.between('tenth asked', 'tenth answered'));
  const warm = first.map((times) => median(times.eachBetween('warm asked', 'warm answered')));
  figures['tenth_ms'] = median(tenth);
  figures['warm_ms'] = median(warm);
  figures['init_alone_ms'] = median(inside(init));
  figures['bare_init_alone_ms'] = median(inside(bare));
  figures['init_from_process_start_ms'] = median(total(init, 'imported'));
  figures['bare_init_from_process_start_ms'] = median(total(bare, 'imported'));
  return {
    figures,
    ratios: {
      first_translation_vs_floor: medianRatio(total(first, 'answered'), total(floor, 'answered')),
      first_translation_vs_floor_exported: medianRatio(total(first, 'answered'), total(floorExported, 'answered')),
      tenth_vs_warm: medianRatio(tenth, warm),
      init_vs_bare: medianRatio(inside(init), inside(bare)),
      init_vs_bare_from_process_start: medianRatio(total(init, 'imported'), total(bare, 'imported')),
    },
  };
}

interface Times {
  /** Ms from the first mark of the one name to the first of the other. */
  between(from: string, to: string): number;
  /** Ms of each pair of marks. */
  eachBetween(from: string, to: string): number[];
}

function timesOf({ spawnedAt, output }: Ended): Times {
  const marks = [{ name: 'spawned', at: spawnedAt }, ...readMarks(output, MODEL)];
  const all = (name: string) => marks.filter((mark) => mark.name === name).map(({ at }) => at);
  const first = (name: string) => {
    const [at] = all(name);
    if (at === undefined) throw new Error(`a process did not tell of "${name}"`);
    return at;
  };
  return {
    between: (from, to) => first(to) - first(from),
    eachBetween: (from, to) => {
      const ends = all(to);
      return all(from).map((at, index) => (ends[index] ?? Number.NaN) - at);
    },
  };
}
