import type { Item, UpdateAnswer } from '../table/fleet-table.ts';
import { Alarm } from './alarm.ts';
import { type Moment, momentOf, mostSince } from './moment.ts';
import { around, type PermitGround, trustMs } from './permit-ground.ts';
import { type PermitRecord, permitKey, readPermits, wonBy } from './permit-record.ts';
import { acquire, type HeldPermit } from './permit-steps.ts';
import type { SlotWatch } from './slot-watch.ts';
import type { StoreAbsence } from './store-absence.ts';

/** What a search ends with. */
export interface SearchResult {
  /** The store has given this permit to an ACQUIRE that was sent then. `isWanted`: it is to be held, not given back. */
  found(permit: HeldPermit, sentAt: Moment, isWanted: boolean): void;
  /** The store is away: whoever searches goes without one. */
  away(): void;
  /** Nothing more will come of it. */
  ended(): void;
}

/**
 * All writes for which the same fence holds. One of them at most can succeed, all under the same id; and none any more once
 * the fence has moved on.
 */
interface Attempt {
  readonly id: string;
  /** The fence that was read. */
  readonly fence: number | undefined;
  /** When the first of them was sent. */
  readonly since: Moment;
}

/**
 * Looks for a permit of one model: by reads, and by a write only when a place seems free. A write that was not answered may
 * have succeeded, or may do so still: it is looked for until that is settled, also when nobody wants a permit any more.
 */
export class PermitSearch {
  readonly #model: string;
  readonly #ground: PermitGround;
  readonly #watch: SlotWatch;
  readonly #store: StoreAbsence;
  readonly #newId: () => string;
  readonly #result: SearchResult;
  readonly #next: Alarm;
  /** Of its writes one was not answered. */
  #unsettled: Attempt | undefined;
  #isWanted = true;
  #isOut = false;
  /** Looks in a row that found no place, and writes in a row that another was quicker than. */
  #looks = 0;
  #defeats = 0;

  constructor(
    model: string,
    parts: {
      readonly ground: PermitGround;
      readonly watch: SlotWatch;
      readonly store: StoreAbsence;
      readonly newId: () => string;
      readonly result: SearchResult;
    },
  ) {
    this.#model = model;
    this.#ground = parts.ground;
    this.#watch = parts.watch;
    this.#store = parts.store;
    this.#newId = parts.newId;
    this.#result = parts.result;
    this.#next = new Alarm(parts.ground, () => this.#look());
    this.#look();
  }

  /** Nobody wants a permit any more; one that comes of a write that is out is given back. */
  stop(): void {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    if (this.#isOut) return;
    if (this.#isUnsettled()) this.#next.set(0);
    else this.#end();
  }

  wake(): void {
    this.#next.wake();
  }

  #look(): void {
    this.#isOut = true;
    this.#ground.table.read(
      permitKey(this.#model),
      (answer) => {
        this.#isOut = false;
        if (answer.kind === 'unavailable') {
          this.#unanswered();
          return;
        }
        const record = this.#answered(answer.item);
        const attempt = this.#unsettled;
        if (attempt === undefined || !this.#settle(attempt, record, attempt.since)) this.#tryFor(record);
      },
      // What a write has done may not be seen otherwise.
      { isConsistent: this.#unsettled !== undefined },
    );
  }

  /** Writes, if there is a place to write for. */
  #tryFor(record: PermitRecord): void {
    const { times, permits } = this.#ground;
    const place = this.#isWanted ? this.#watch.place(record, record.permits ?? permits) : undefined;
    if (place !== undefined) {
      this.#looks = 0;
      this.#acquire(record, place);
      return;
    }
    this.#again(around(Math.min(times.longestPollMs, times.pollMs * 1.5 ** this.#looks++), this.#ground.random));
  }

  #acquire(record: PermitRecord, place: number): void {
    const { table, clock, owner, times } = this.#ground;
    const sentAt = momentOf(clock);
    const attempt = this.#unsettled ?? { id: this.#newId(), fence: record.fence, since: sentAt };
    const wish = { place, owner, attempt: attempt.id, leaseMs: times.leaseMs };
    this.#isOut = true;
    table.update(acquire(this.#model, record, wish), (answer) => {
      this.#isOut = false;
      this.#wrote(attempt, answer, sentAt);
    });
  }

  #wrote(attempt: Attempt, answer: UpdateAnswer, sentAt: Moment): void {
    if (answer.kind === 'unavailable') {
      this.#unsettled = attempt;
      this.#unanswered();
      return;
    }
    const record = this.#answered(answer.item);
    // An update: this very write was the first to succeed. A refusal: one before it may have, whose answer was lost.
    if (this.#settle(attempt, record, answer.kind === 'updated' ? sentAt : attempt.since)) return;
    const { times, random } = this.#ground;
    this.#again(random() * Math.min(times.pollMs, times.contentionMs * 2 ** this.#defeats++));
  }

  #answered(item: Item | undefined): PermitRecord {
    const record = readPermits(item);
    this.#store.answered();
    this.#watch.see(record);
    return record;
  }

  #unanswered(): void {
    if (this.#store.failed() && this.#isWanted) {
      this.#isWanted = false;
      this.#result.away();
    }
    this.#again(around(this.#ground.times.retryMs, this.#ground.random));
  }

  /** Whether the attempt has won, or can't any more. @returns whether that was the end of the search */
  #settle(attempt: Attempt, record: PermitRecord, sentAt: Moment): boolean {
    const { owner, clock, times } = this.#ground;
    const won = wonBy(record, owner, attempt.id);
    if (won === undefined) {
      if (record.fence !== attempt.fence) this.#unsettled = undefined;
      return false;
    }
    this.#unsettled = undefined;
    const isTrusted = mostSince(sentAt, clock) <= trustMs(times);
    const isHeld = this.#isWanted && isTrusted;
    this.#result.found({ model: this.#model, ...won }, sentAt, isHeld);
    // It has come so late that it is given back, and another is looked for.
    if (this.#isWanted && !isTrusted) return false;
    this.#end();
    return true;
  }

  /** What comes of it later than a lease is for others to take over. */
  #isUnsettled(): boolean {
    return (
      this.#unsettled !== undefined && mostSince(this.#unsettled.since, this.#ground.clock) < this.#ground.times.leaseMs
    );
  }

  #again(ms: number): void {
    if (this.#isWanted || this.#isUnsettled()) this.#next.set(ms);
    else this.#end();
  }

  #end(): void {
    this.#isWanted = false;
    this.#next.clear();
    this.#result.ended();
  }
}
