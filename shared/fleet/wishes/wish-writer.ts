import { StoreUnavailableError, VersionConflictError } from '../../repository/errors.ts';
import type { FleetTable, Item, ReadAnswer, Update, UpdateAnswer } from '../table/fleet-table.ts';
import { announceWish, replaceWish, toWish, type Want, type WishRecord, wishKey, wishSeq } from './wish-record.ts';

/** What is wanted from now on. */
export interface WantedState {
  readonly want: Want;
  /** Wall clock, ms since the epoch; without it the wish stands until the next one. */
  readonly until?: number | undefined;
}

/** Who wishes, for which model. */
export interface Wisher {
  readonly model: string;
  readonly by: string;
  /** Unique to this wish, and the same over every repetition of it. */
  readonly request: string;
}

export interface NewWish extends Wisher, WantedState {}

interface WishDeps {
  readonly table: FleetTable;
  readonly clock: { now(): number };
}

export interface WishResult {
  readonly record: WishRecord;
  /** Whether the digest's change counter could be raised. If not, instances learn of the wish when the monitor has raised it. */
  readonly announced: boolean;
}

/** So many operators, or lost answers, in a row are no accident. */
const ATTEMPTS = 6;

/**
 * Writes an operator's wish over the one that is there: of two who wish at the same time, the later one stands.
 * @throws StoreUnavailableError when the store does not answer: the wish may or may not stand, and can be repeated
 * @throws VersionConflictError when others are faster every time: the wish does not stand
 */
export function setWish(deps: WishDeps, wish: NewWish): Promise<WishResult> {
  return changeWish(deps, wish, () => wish);
}

/**
 * As `setWish`, where it depends on the wish that is there what is wanted: it is decided anew for each wish that gets in between.
 * @param decide what it throws ends the change
 */
export async function changeWish(
  { table, clock }: WishDeps,
  { model, by, request }: Wisher,
  decide: (standing: WishRecord | undefined) => WantedState,
): Promise<WishResult> {
  let known: { readonly item: Item | undefined } | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    known ??= await read();
    if (known === undefined) continue;
    // An answer to this request was lost: what it asked for has happened.
    if (known.item?.['request'] === request) break;
    const { want, until } = decide(toWish(known.item));
    const seq = wishSeq(known.item) + 1;
    const answer = await update(replaceWish(model, { want, seq, by, at: clock.now(), until, request }));
    known = answer.kind === 'unavailable' ? undefined : answer;
  }
  const record = toWish(known?.item);
  if (record?.request === request) {
    const { kind } = await update(announceWish);
    return { record, announced: kind === 'updated' };
  }
  if (known === undefined) throw new StoreUnavailableError(`the wish for ${model} could not be written`, { model });
  throw new VersionConflictError(`others wish for ${model} at the same time`, { model });

  async function read(): Promise<{ readonly item: Item | undefined } | undefined> {
    const answer = await new Promise<ReadAnswer>((done) => table.read(wishKey(model), done, { isConsistent: true }));
    return answer.kind === 'unavailable' ? undefined : answer;
  }

  function update(wanted: Update): Promise<UpdateAnswer> {
    return new Promise((done) => table.update(wanted, done));
  }
}
