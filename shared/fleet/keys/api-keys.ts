import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CallerLimits } from '../../config/caller-limits.ts';
import type { Scope } from '../../config/scopes.ts';
import { lazy } from '../../lazy.ts';
import type { FleetTable, Item } from '../table/fleet-table.ts';
import { hashOfKey, isApiKey } from './api-key.ts';
import { type KeyRecord, keyAddress, toKeyRecord } from './key-record.ts';

export interface ApiKeysOptions {
  readonly table: Pick<FleetTable, 'read'>;
  /** Wall clock, ms since the epoch. */
  readonly clock: { now(): number };
  /** Ms for which a key is known without asking again. */
  readonly ttlMs: number;
}

export type KeyAnswer =
  | {
      readonly kind: 'valid';
      readonly subject: string;
      readonly scopes: readonly Scope[];
      readonly limits: CallerLimits;
    }
  /** Nobody's, disabled, or its time is over. */
  | { readonly kind: 'invalid' }
  /** Never seen here, and the store was not to be asked. */
  | { readonly kind: 'stranger' }
  /** The store does not answer. */
  | { readonly kind: 'unknowable' };

interface Seen {
  readonly record: KeyRecord;
  /** When the store said so. */
  readonly readAt: number;
  /** When the store was last asked in vain. */
  triedAt: number;
}

/** For which a key that the store knew lately is good while the store is away. */
const GRACE_MS = 15 * 60_000;
/** For which one that the store does not know is refused without asking: somebody may be about to add it. */
const UNKNOWN_MS = 10_000;
/** After a question in vain, what is known is good enough for so long: not every request is to wait for a store that is away. */
const PAUSE_MS = 2_000;
/** Keys of each kind that are remembered; those unknown have room of their own, so that a flood of them forgets no known one. */
const MOST_KEYS = 5_000;

/**
 * The keys as one instance knows them: each is read from the store when it is first shown, and again when that is too long ago. What
 * the store said lately is good for a while when it is away; a key that it never confirmed here is not.
 */
export class ApiKeys {
  readonly #options: ApiKeysOptions;
  /** Room for all of them is made when the first key is shown. */
  readonly #seen = lazy(() => new LRUCache<string, Seen>({ max: MOST_KEYS }));
  /** When the store said that there is no such key. */
  readonly #unknown = lazy(() => new LRUCache<string, number>({ max: MOST_KEYS }));
  readonly #asking = new Map<string, Promise<KeyAnswer>>();

  constructor(options: ApiKeysOptions) {
    this.#options = options;
  }

  /**
   * What a key allows. Waits for nothing that is known; else for the store as long as the table's calls do, and longer for a key
   * that would be refused without its answer.
   * @param asksForStrangers whether the store is asked for one that has never been seen here
   */
  lookUp(key: string, { asksForStrangers }: { readonly asksForStrangers: boolean }): KeyAnswer | Promise<KeyAnswer> {
    if (!isApiKey(key)) return { kind: 'invalid' };
    const hash = hashOfKey(key);
    const { clock, ttlMs } = this.#options;
    const now = clock.now();
    const seen = this.#seen().get(hash);
    if (seen === undefined) {
      if (isWithin(UNKNOWN_MS, this.#unknown().get(hash), now)) return { kind: 'invalid' };
      if (!asksForStrangers) return { kind: 'stranger' };
    } else {
      const isFresh = isWithin(ttlMs, seen.readAt, now);
      if (isFresh || (isWithin(PAUSE_MS, seen.triedAt, now) && isWithin(GRACE_MS, seen.readAt, now))) {
        return answerOf(seen.record, now);
      }
    }
    return this.#ask(hash);
  }

  /** One question for all who show the same key at the same time. */
  #ask(hash: string): Promise<KeyAnswer> {
    const asking =
      this.#asking.get(hash) ??
      new Promise<KeyAnswer>((resolve) => {
        // An operator who has disabled a key wants no replica to be behind.
        this.#options.table.read(
          keyAddress(hash),
          (answer) => {
            this.#asking.delete(hash);
            resolve(answer.kind === 'read' ? this.#told(hash, answer.item) : this.#notTold(hash));
          },
          { isConsistent: true, isNeeded: this.#goodLately(hash) === undefined },
        );
      });
    this.#asking.set(hash, asking);
    return asking;
  }

  #told(hash: string, item: Item | undefined): KeyAnswer {
    const now = this.#options.clock.now();
    const record = toKeyRecord(item);
    if (record === undefined || !isSameHash(record.hash, hash)) {
      this.#seen().delete(hash);
      this.#unknown().set(hash, now);
      return { kind: 'invalid' };
    }
    this.#seen().set(hash, { record, readAt: now, triedAt: Number.NEGATIVE_INFINITY });
    return answerOf(record, now);
  }

  #notTold(hash: string): KeyAnswer {
    const now = this.#options.clock.now();
    const seen = this.#goodLately(hash);
    if (seen === undefined) return { kind: 'unknowable' };
    seen.triedAt = now;
    return answerOf(seen.record, now);
  }

  /** What was read so lately that it is good without the store. */
  #goodLately(hash: string): Seen | undefined {
    const seen = this.#seen().get(hash);
    return isWithin(GRACE_MS, seen?.readAt, this.#options.clock.now()) ? seen : undefined;
  }
}

function answerOf({ name, scopes, limits, until, isDisabled }: KeyRecord, now: number): KeyAnswer {
  if (isDisabled || (until !== undefined && now >= until)) return { kind: 'invalid' };
  return { kind: 'valid', subject: name, scopes, limits };
}

/** A clock that was set back makes what is known old, not immortal. */
function isWithin(ms: number, since: number | undefined, now: number): boolean {
  return since !== undefined && now >= since && now - since < ms;
}

/** Takes as long whatever they have in common. */
function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
