import type { Log } from '../observability/log.ts';
import type { HostReport } from './model-host.ts';

/** From one snapshot to the next. */
export const MEMORY_PERIOD_MS = 5 * 60_000;

const MIB = 1024 * 1024;

export interface MemorySnapshotsOptions {
  readonly report: () => HostReport;
  /** Bytes of the process. */
  readonly usage: () => { readonly rss: number; readonly heapUsed: number; readonly external: number };
  readonly log: Pick<Log, 'info'>;
  readonly clock: { now(): number };
}

/**
 * One line about memory in five minutes, by the wall clock: whoever serves requests calls `wake` at the start of each, since no
 * timer runs while an instance is frozen. The first comes with the first call.
 */
export function createMemorySnapshots({ report, usage, log, clock }: MemorySnapshotsOptions): { wake(): void } {
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    wake() {
      const elapsed = clock.now() - takenAt;
      // A clock that was set back must not silence it.
      if (elapsed >= 0 && elapsed < MEMORY_PERIOD_MS) return;
      takenAt = clock.now();
      const { models, memory } = report();
      const { rss, heapUsed, external } = usage();
      log.info('memory.snapshot', {
        rssMb: Math.round(rss / MIB),
        heapMb: Math.round(heapUsed / MIB),
        externalMb: Math.round(external / MIB),
        limitMb: rounded(memory.limitMb),
        budgetMb: rounded(memory.budgetMb),
        reservedMb: Math.round(memory.reservedMb),
        models: models
          .filter(({ memoryMb }) => memoryMb > 0)
          .map(({ id, version, state, memoryMb }) => `${id}@${version} ${state} ${Math.round(memoryMb)} MB`),
      });
    },
  };
}

function rounded(mb: number | undefined): number | undefined {
  return mb === undefined ? undefined : Math.round(mb);
}
