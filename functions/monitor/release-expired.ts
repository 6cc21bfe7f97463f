import { breakersIn, digestKey, isForced, isInForce, readEntry } from '../../shared/fleet/breaker/digest-entry.ts';
import { release } from '../../shared/fleet/breaker/digest-steps.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import type { MonitorTask } from './monitor.ts';

/** Takes an operator's word about a breaker back when its time is over; no instance goes by it any more. */
export function createReleaseExpired(table: TableStore, clock: { now(): number }): MonitorTask {
  return {
    name: 'release-expired',
    async run(_, signal) {
      const digest = await table.read(digestKey, { isConsistent: true, signal });
      const released: string[] = [];
      for (const breaker of breakersIn(digest)) {
        const { state } = readEntry(digest, breaker);
        if (!isForced(state) || isInForce(state, clock.now())) continue;
        const { kind } = await table.update(release(breaker, state), { signal });
        if (kind === 'updated') released.push(breaker);
      }
      return { released };
    },
  };
}
