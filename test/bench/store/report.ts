import type { Report } from '../benchmark.ts';
import { quantile } from '../statistics.ts';

/** Operations by what they are about, e.g. `GetItem BREAKER`. */
export type Counts = Readonly<Record<string, number>>;

/** What one round has seen. */
export interface Measured {
  readonly seconds: number;
  /** Ms of each request. */
  readonly quickMs: readonly number[];
  /** The same while the store held every answer back for so long. */
  readonly slowMs: readonly number[];
  readonly slowStoreMs: number;
  /** In all of the quick requests. */
  readonly healthy: Counts;
  /** In each request that came after a long silence. */
  readonly thaws: readonly Counts[];
}

/** Of all rounds the most. */
export function reportOf(rounds: readonly Measured[]): Report {
  const most = (valueOfRound: (round: Measured) => number) => Math.max(...rounds.map(valueOfRound));
  const kinds = new Set(rounds.flatMap(({ healthy, thaws }) => [healthy, ...thaws].flatMap(Object.keys)));
  const figures: Record<string, number> = {
    requests_that_waited: most(({ slowMs, slowStoreMs }) => slowMs.filter((ms) => ms >= slowStoreMs).length),
    operations_per_1000_requests: most(({ healthy }) => sum(healthy)),
    operations_per_thaw: most(({ thaws }) => Math.max(...thaws.map(sum))),
    seconds_per_1000_requests: most(({ seconds }) => seconds),
    p99_ms: most(({ quickMs }) => quantile(quickMs, 0.99)),
    slow_store_p99_ms: most(({ slowMs }) => quantile(slowMs, 0.99)),
  };
  for (const kind of [...kinds].sort()) {
    const name = kind.toLowerCase().replaceAll(' ', '_');
    figures[`${name}_per_1000_requests`] = most(({ healthy }) => healthy[kind] ?? 0);
    figures[`${name}_per_thaw`] = most(({ thaws }) => Math.max(...thaws.map((thaw) => thaw[kind] ?? 0)));
  }
  return { figures, ratios: {} };
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
