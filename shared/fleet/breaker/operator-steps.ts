import { VersionConflictError } from '../../repository/errors.ts';
import type { Update } from '../table/fleet-table.ts';
import type { TableStore } from '../table/table-store.ts';
import { type DigestEntry, digestKey, type FleetState, isForced, readEntry } from './digest-entry.ts';
import { type Force, force, release } from './digest-steps.ts';

/** Others who change the same breaker at the same moment, so often in a row, are no accident. */
const ATTEMPTS = 5;

/**
 * Puts an operator's word in the place of whatever the breaker is in. @returns what it is in now
 * @throws StoreUnavailableError, StoreRefusedError: it may or may not have happened; VersionConflictError: it has not
 */
export function forceBreaker(
  table: TableStore,
  breaker: string,
  word: Force,
  clock: { now(): number },
): Promise<FleetState> {
  return change(table, breaker, ({ state }) => force(breaker, word, { epoch: state.epoch, now: clock.now() }));
}

/** Takes the operator's word back; one that nobody has forced stays as it is. @throws as `forceBreaker` */
export function releaseBreaker(table: TableStore, breaker: string): Promise<FleetState> {
  return change(table, breaker, ({ state }) => (isForced(state) ? release(breaker, state) : undefined));
}

async function change(
  table: TableStore,
  breaker: string,
  stepFrom: (entry: DigestEntry) => Update | undefined,
): Promise<FleetState> {
  let item = await table.read(digestKey, { isConsistent: true });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = readEntry(item, breaker);
    const step = stepFrom(entry);
    if (step === undefined) return entry.state;
    const answer = await table.update(step);
    if (answer.kind === 'updated') return readEntry(answer.item, breaker).state;
    item = answer.item;
  }
  throw new VersionConflictError(`the circuit breaker of ${breaker} is changed by others all the time`);
}
