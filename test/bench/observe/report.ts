import type { Report } from '../benchmark.ts';
import { median } from '../statistics.ts';
import type { LoopRound } from './loop.ts';

/** Ms between two snapshots of an instance that serves. */
const SNAPSHOT_PERIOD_MS = 30_000;

export interface ObserveRounds {
  readonly rounds: readonly LoopRound[];
  /** Ms of a request without a model, in turns: with the request's scope and without. */
  readonly scoped: readonly number[];
  readonly unscoped: readonly number[];
}

/** All that a request pays: its lines and metrics, its scope, and its share of a snapshot while one comes after the other. */
export function reportOf({ rounds, scoped, unscoped }: ObserveRounds): Report {
  const of = (key: keyof LoopRound) => median(rounds.map((round) => round[key]));
  const bareMs = of('bareMs');
  const scopeMs = median(scoped.map((ms, index) => ms - (unscoped[index] ?? Number.NaN)));
  const snapshotShareMs = (of('snapshotMs') * bareMs) / SNAPSHOT_PERIOD_MS;
  const added = (key: 'addedMs' | 'addedBySums') => of(key) + scopeMs + snapshotShareMs;
  return {
    figures: {
      request_ms: bareMs,
      logs_and_metrics_us: of('addedMs') * 1000,
      request_scope_us: scopeMs * 1000,
      snapshot_us: of('snapshotMs') * 1000,
    },
    ratios: { overhead_batch1: added('addedMs') / bareMs, overhead_by_sums: added('addedBySums') / bareMs },
  };
}
