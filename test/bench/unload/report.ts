import type { Report } from '../benchmark.ts';
import { median, quantile } from '../statistics.ts';
import type { Cycle } from './cycle.ts';

/** Cycles of one process of each side, in their order. */
export interface Measured {
  readonly ours: readonly Cycle[];
  readonly peer: readonly Cycle[];
}

/**
 * Cycles before the count begins. In the first four loads V8 optimises the engine's hot functions, once in a process, and
 * the allocator keeps what that needed.
 */
export const SETTLING_CYCLES = 6;
/** Cycles whose median stands for one point in time. */
const WINDOW = 3;

/** @param sizeMb of the model's files */
export function reportOf(sizeMb: number, rounds: readonly Measured[]): Report {
  const ours = rounds.map((round) => sideOf(round.ours));
  const peer = rounds.map((round) => sideOf(round.peer));
  const figures: Record<string, number> = { model_mb: sizeMb };
  const addSide = (prefix: string, sides: readonly Side[]) => {
    for (const key of SIDE_KEYS) figures[`${prefix}_${key}`] = median(sides.map((side) => side[key]));
  };
  addSide('unload', ours);
  addSide('release', peer);
  const of = (sides: readonly Side[], key: keyof Side) => sides.map((side) => side[key]);
  return {
    figures,
    ratios: {
      rss_growth_50_cycles: median(of(ours, 'growth_mb')) / sizeMb,
      rss_growth_from_the_first_three: median(of(ours, 'growth_from_the_first_three_mb')) / sizeMb,
      rss_growth_from_before_the_first: median(of(ours, 'growth_from_before_the_first_mb')) / sizeMb,
      rss_returned: median(of(ours, 'returned')),
      rss_returned_first: median(of(ours, 'first_returned')),
      release_returned: median(of(peer, 'first_returned')),
      left_vs_release: median(
        ours.map((side, round) => side.first_left_mb / (peer[round]?.first_left_mb ?? Number.NaN)),
      ),
    },
  };
}

const SIDE_KEYS = [
  'cycles',
  'before_the_first_mb',
  'ready_mb',
  'taken_mb',
  'given_back_mb',
  'first_left_mb',
  'settled_mb',
  'last_mb',
  'growth_mb',
  'growth_second_half_mb',
  'growth_from_the_first_three_mb',
  'growth_from_before_the_first_mb',
  'load_ms',
  'end_ms',
  'end_p99_ms',
] as const;

type Side = ReturnType<typeof sideOf>;

function sideOf(cycles: readonly Cycle[]) {
  const first = at(cycles, 0);
  const leftAt = (start: number) => median(cycles.slice(start, start + WINDOW).map(({ afterMb }) => afterMb));
  const lastWindow = cycles.length - WINDOW;
  const settled = leftAt(Math.min(SETTLING_CYCLES, lastWindow));
  const last = leftAt(lastWindow);
  const taken = (cycle: Cycle) => cycle.readyMb - cycle.beforeMb;
  const givenBack = (cycle: Cycle) => cycle.readyMb - cycle.afterMb;
  const endMs = cycles.map((cycle) => cycle.endMs);
  return {
    cycles: cycles.length,
    before_the_first_mb: first.beforeMb,
    ready_mb: median(cycles.map(({ readyMb }) => readyMb)),
    taken_mb: median(cycles.map(taken)),
    given_back_mb: median(cycles.map(givenBack)),
    returned: median(cycles.map((cycle) => givenBack(cycle) / taken(cycle))),
    /** Of the first load, which also takes what the process needs once. */
    first_returned: givenBack(first) / taken(first),
    /** Over what was there before the first load. */
    first_left_mb: first.afterMb - first.beforeMb,
    settled_mb: settled,
    last_mb: last,
    growth_mb: last - settled,
    growth_second_half_mb: last - leftAt(Math.floor(lastWindow / 2)),
    growth_from_the_first_three_mb: last - leftAt(0),
    growth_from_before_the_first_mb: last - first.beforeMb,
    load_ms: median(cycles.map(({ loadMs }) => loadMs)),
    end_ms: median(endMs),
    end_p99_ms: quantile(endMs, 0.99),
  };
}

function at(cycles: readonly Cycle[], index: number): Cycle {
  const cycle = cycles[index];
  if (cycle === undefined) throw new RangeError('a side has run no cycle');
  return cycle;
}
