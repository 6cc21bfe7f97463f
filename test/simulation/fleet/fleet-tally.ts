import type { Update } from '../../../shared/fleet/table/fleet-table.ts';
import { playFleetHistory } from './fleet-history.ts';

/** A history that went wrong. */
export interface FailedHistory {
  readonly seed: number;
  readonly story: string;
  /** The first thing that was not as it must be. */
  readonly wrong: string;
}

/** What came of many histories; plain data, which a process can tell another. */
export interface FleetTally {
  readonly histories: number;
  /** Steps of virtual time, of all histories. */
  readonly events: number;
  /** How often what happened, by story. */
  readonly seen: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly failures: readonly FailedHistory[];
}

export interface Range {
  readonly from: number;
  readonly count: number;
  /** Instead of what the seeds say. */
  readonly instances?: number | undefined;
}

const nothing: FleetTally = { histories: 0, events: 0, seen: {}, failures: [] };

/** Plays the histories of these seeds, one after the other. @param mutate see `playFleetHistory` */
export function playRange({ from, count, instances }: Range, mutate?: (update: Update) => Update): FleetTally {
  let events = 0;
  const seen: Record<string, Record<string, number>> = {};
  const failures: FailedHistory[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const { plan, seen: inThis, wrong, events: steps } = playFleetHistory({ seed, instances, mutate });
    const [first] = wrong;
    if (first !== undefined) failures.push({ seed, story: plan.story, wrong: first });
    events += steps;
    seen[plan.story] ??= {};
    addCounts(seen[plan.story], [['histories', 1], ...inThis]);
  }
  return { histories: count, events, seen, failures };
}

export function addTallies(tallies: readonly FleetTally[]): FleetTally {
  return tallies.reduce((sum, one) => {
    const seen: Record<string, Record<string, number>> = structuredClone(sum.seen);
    for (const [story, counts] of Object.entries(one.seen)) {
      seen[story] ??= {};
      addCounts(seen[story], Object.entries(counts));
    }
    return {
      histories: sum.histories + one.histories,
      events: sum.events + one.events,
      seen,
      failures: [...sum.failures, ...one.failures].toSorted((a, b) => a.seed - b.seed),
    };
  }, nothing);
}

/** How often each thing happened in all stories together. */
export function totals({ seen }: FleetTally): Readonly<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const counts of Object.values(seen)) addCounts(all, Object.entries(counts));
  return all;
}

/** The command that plays one of them again, step by step. */
export function replayCommand({ seed }: Pick<FailedHistory, 'seed'>, instances?: number): string {
  return `npm run simulate -- --seed ${seed}${instances === undefined ? '' : ` --instances ${instances}`} --trace`;
}

function addCounts(to: Record<string, number> | undefined, counts: Iterable<readonly [string, number]>): void {
  if (to === undefined) return;
  for (const [what, count] of counts) to[what] = (to[what] ?? 0) + count;
}
