import { digestKey } from '../../shared/fleet/breaker/digest-entry.ts';
import { absent, equals, set } from '../../shared/fleet/table/fleet-table.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import { announceWish, TOLD, WISHES, wishSeq } from '../../shared/fleet/wishes/wish-record.ts';
import type { MonitorTask } from './monitor.ts';

/**
 * Announces wishes that nobody could announce, since the store went away between the wish and its announcement. Whether there
 * are such nobody can tell; but with each wish the sum of their numbers grows, so once for each sum they are announced again.
 */
export function createRepairAnnouncements(table: TableStore): MonitorTask {
  return {
    name: 'repair-announcements',
    async run(_, signal) {
      const [digest, wishes] = await Promise.all([
        table.read(digestKey, { isConsistent: true, signal }),
        table.query(WISHES, { signal }),
      ]);
      const sum = [...wishes.values()].reduce((total, item) => total + wishSeq(item), 0);
      const told = digest?.[TOLD];
      if (sum === (told ?? 0)) return { announced: false };
      const { kind } = await table.update(
        {
          ...announceWish,
          name: 'REPAIR',
          condition: told === undefined ? absent(TOLD) : equals([TOLD], Number(told)),
          changes: [...announceWish.changes, set([TOLD], sum)],
        },
        { signal },
      );
      return { announced: kind === 'updated' };
    },
  };
}
