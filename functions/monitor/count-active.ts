import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import { breakersIn, digestKey, readEntry } from '../../shared/fleet/breaker/digest-entry.ts';
import { PERIOD_MS } from '../../shared/fleet/instance-snapshot.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import type { MonitorTask } from './monitor.ts';

/** Silence from which an instance is idle, or gone. */
const IDLE_MS = 2 * PERIOD_MS;

/** Counts for each breaker the instances that called it lately, and writes that into the digest: by it the fleet knows its quorum. */
export function createCountActive(table: TableStore, clock: { now(): number }): MonitorTask {
  return {
    name: 'count-active',
    async run(instances, signal) {
      const { snapshots } = await instances();
      const digest = await table.read(digestKey, { signal });
      const now = clock.now();
      const busy = snapshots.filter(({ at }) => now - at <= IDLE_MS).map(({ asked }) => asked);
      const counted = breakersIn(digest).filter((breaker) => readEntry(digest, breaker).active !== undefined);
      const update = countActive(busy, counted, now);
      if (update !== undefined) await table.update(update, { signal });
      return { instances: busy.length, breakers: new Set(busy.flat()).size };
    },
  };
}
