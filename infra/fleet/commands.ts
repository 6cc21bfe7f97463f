import {
  breakersIn,
  type DigestEntry,
  digestKey,
  isForced,
  isInForce,
  readEntry,
} from '../../shared/fleet/breaker/digest-entry.ts';
import { permitKey } from '../../shared/fleet/permits/permit-record.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import { toWish, WISHES, type WishRecord } from '../../shared/fleet/wishes/wish-record.ts';

/** What the instances share, at one moment. */
export interface FleetOverview {
  readonly breakers: readonly (DigestEntry & { readonly name: string; readonly isForced: boolean })[];
  readonly wishes: readonly (WishRecord & { readonly model: string; readonly isOver: boolean })[];
}

/** @param now wall clock ms @throws StoreUnavailableError, StoreRefusedError */
export async function overview(table: TableStore, now: number): Promise<FleetOverview> {
  const [digest, wishes] = await Promise.all([table.read(digestKey, { isConsistent: true }), table.query(WISHES)]);
  return {
    breakers: breakersIn(digest).map((name) => {
      const entry = readEntry(digest, name);
      return { name, ...entry, isForced: isInForce(entry.state, now) };
    }),
    wishes: [...wishes].flatMap(([model, item]) => {
      const wish = toWish(item);
      return wish === undefined ? [] : [{ model, ...wish, isOver: wish.until !== undefined && wish.until <= now }];
    }),
  };
}

export function overviewInWords({ breakers, wishes }: FleetOverview): string {
  const lines = [
    ...breakers.map(({ name, state, active, openings }) => {
      const asked = active === undefined ? '' : `, ${active.count} instances ask it`;
      const opened = openings === undefined ? '' : `, opened ${openings.count} times in a row`;
      return `${name}: ${state.kind} in epoch ${state.epoch}${asked}${opened}${forcedInWords(state)}`;
    }),
    ...wishes.map(
      ({ model, want, seq, by, isOver }) => `${model}: is to be ${want}, wish ${seq} by ${by}${isOver ? ', over' : ''}`,
    ),
  ];
  return lines.join('\n') || 'no breaker was ever asked, and nothing is wished';
}

/** An operator's number of permits goes before what the instances are configured with. */
export async function limitPermits(table: TableStore, model: string, count: number): Promise<void> {
  const changes = [set(['n'], count)];
  await table.update({ name: 'LIMIT', key: permitKey(model), condition: undefined, changes });
}

function forcedInWords(state: DigestEntry['state']): string {
  if (!isForced(state)) return '';
  return `, by ${state.by} until ${new Date(state.until).toISOString()}: ${state.why}`;
}
