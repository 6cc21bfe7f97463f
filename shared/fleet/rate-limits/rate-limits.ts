import { LRUCache } from 'lru-cache';
import type { FleetTable, UpdateAnswer } from '../table/fleet-table.ts';
import {
  type Amounts,
  addUntold,
  BUCKET_MS,
  behind,
  chargeBucket,
  each,
  type Kind,
  kinds,
  type Levels,
  levelsIn,
  nothing,
  type Untold,
} from './bucket.ts';

/** A minute's worth, by kind; what is not there is not limited. */
export type PerMinute = Readonly<Partial<Record<Kind, number>>>;

export interface LimitedCaller {
  /** Who has the bucket to itself. */
  readonly subject: string;
  readonly perMinute: PerMinute;
  /** False: counted by this instance alone. */
  readonly isShared: boolean;
}

/** One bucket, after what was asked for has been taken, or not. */
export interface Gauge {
  readonly kind: Kind;
  readonly perMinute: number;
  /** Whole ones that are left. */
  readonly left: number;
  /** Until it is full. */
  readonly seconds: number;
}

export interface Verdict {
  /** Which bucket has not enough, and in how many seconds it has; undefined: all was taken. */
  readonly refused: { readonly kind: Kind; readonly perMinute: number; readonly seconds: number } | undefined;
  readonly gauges: readonly Gauge[];
}

export interface RateLimitsOptions {
  readonly table: Pick<FleetTable, 'update'>;
  /** Wall clock, ms since the epoch. */
  readonly clock: { now(): number };
}

/** What an instance knows of one caller. */
interface Account {
  /** By what this instance has let through. */
  own: Levels;
  /** By what the store said last. */
  fleet: Levels;
  untold: Untold | undefined;
  /** When the store was told last. */
  toldAt: number;
  telling: Promise<void> | undefined;
}

/** From the first use on, the store is told after so long. */
const TELL_MS = 5_000;
/** So much, in ms of the limit, may be let through without the store knowing; a single request may be more. */
export const ALLOWANCE_MS = 3_000;
/** For which nobody waits for a store that has not answered. */
const PAUSE_MS = 2_000;
/** Tries to tell the store, since others tell it something at the same time. */
const TRIES = 4;
/** What an instance itself lets through never goes further, unless its clock was set back. */
const MOST_OWN_MS = BUCKET_MS + 1_000;
/** Sums of fractions are not exact. */
const ROUNDING_MS = 0.001;
/** Callers that are remembered; of more, those are forgotten that called longest ago. */
const MOST_CALLERS = 5_000;

/**
 * Limits each caller over all instances with few writes: an instance lets through on its own what is within its allowance, tells
 * the store of it now and then, and hears by the answer what the others have let through. While the store is away each instance
 * limits by what it sees itself.
 */
export class RateLimits {
  readonly #options: RateLimitsOptions;
  readonly #accounts = new LRUCache<string, Account>({ max: MOST_CALLERS });
  #unansweredAt = Number.NEGATIVE_INFINITY;

  constructor(options: RateLimitsOptions) {
    this.#options = options;
  }

  /** Takes what a request needs from its caller's buckets: from all of them, or from none. */
  async take(caller: LimitedCaller, used: Readonly<Record<Kind, number>>): Promise<Verdict> {
    const { clock } = this.#options;
    const account = this.#accountOf(caller.subject);
    const amounts = amountsOf(used, caller.perMinute);
    let refused = refusalOf(account, amounts, caller, clock.now());
    // Much at once: then it has to be known what the others have let through. Whoever waits finds that others have gone before.
    while (refused === undefined && caller.isShared && !isWithinAllowance(account, amounts) && !this.#isAway()) {
      await this.#tell(caller.subject, account);
      refused = refusalOf(account, amounts, caller, clock.now());
    }
    const now = clock.now();
    if (refused === undefined && kinds.some((kind) => amounts[kind] > 0)) {
      account.own = each((kind) => now + behind(account.own[kind], now, MOST_OWN_MS) + amounts[kind]);
      if (caller.isShared) {
        account.untold = addUntold(account.untold, amounts, account.fleet, now);
        // Beside the request.
        if (isOver(TELL_MS, account.toldAt, now) && !this.#isAway()) void this.#tell(caller.subject, account);
      }
    }
    return { refused, gauges: gaugesOf(caller, levelsOf(account, now), now) };
  }

  #accountOf(subject: string): Account {
    const known = this.#accounts.get(subject);
    if (known !== undefined) return known;
    const account: Account = {
      own: nothing,
      fleet: nothing,
      untold: undefined,
      toldAt: Number.NEGATIVE_INFINITY,
      telling: undefined,
    };
    this.#accounts.set(subject, account);
    return account;
  }

  #isAway(): boolean {
    return !isOver(PAUSE_MS, this.#unansweredAt, this.#options.clock.now());
  }

  /** Never rejects. */
  #tell(subject: string, account: Account): Promise<void> {
    account.telling ??= this.#settle(subject, account).finally(() => {
      account.telling = undefined;
    });
    return account.telling;
  }

  async #settle(subject: string, account: Account): Promise<void> {
    const { clock, table } = this.#options;
    const toldAt = clock.now();
    account.toldAt = toldAt;
    const { untold } = account;
    if (untold === undefined) return;
    for (let tries = 0; tries < TRIES; tries++) {
      const update = chargeBucket(subject, untold, account.fleet, clock.now());
      const answer = await new Promise<UpdateAnswer>((done) => table.update(update, done));
      if (answer.kind === 'unavailable') {
        const now = clock.now();
        this.#unansweredAt = now;
        // It may have been told all the same; and what is served while the store is away is not held against its caller for long.
        const { amounts } = account.untold ?? untold;
        account.untold = again(
          each((kind) => Math.min(amounts[kind], ALLOWANCE_MS)),
          account.fleet,
          now,
        );
        return;
      }
      account.fleet = levelsIn(answer.item);
      if (answer.kind === 'updated') {
        // What was let through meanwhile.
        const { amounts } = account.untold ?? untold;
        account.untold = again(
          each((kind) => amounts[kind] - untold.amounts[kind]),
          account.fleet,
          toldAt,
        );
        return;
      }
    }
    // Nobody is held up by a bucket that is never as it was.
    this.#unansweredAt = clock.now();
  }
}

function refusalOf(account: Account, amounts: Amounts, { perMinute }: LimitedCaller, now: number): Verdict['refused'] {
  const levels = levelsOf(account, now);
  const [worst] = kinds
    .map((kind) => ({ kind, ms: behind(levels[kind], now) + amounts[kind] - BUCKET_MS }))
    .filter(({ ms }) => ms > ROUNDING_MS)
    .sort((a, b) => b.ms - a.ms);
  if (worst === undefined) return undefined;
  const { kind, ms } = worst;
  return { kind, perMinute: perMinute[kind] ?? 0, seconds: Math.ceil(ms / 1_000) };
}

function isWithinAllowance({ untold }: Account, amounts: Amounts): boolean {
  return untold === undefined || kinds.every((kind) => untold.amounts[kind] + amounts[kind] <= ALLOWANCE_MS);
}

/** Untold as if all of it had been let through then. */
function again(amounts: Amounts, known: Levels, then: number): Untold | undefined {
  return kinds.some((kind) => amounts[kind] > ROUNDING_MS) ? addUntold(undefined, amounts, known, then) : undefined;
}

/** In ms of the limit. What is more than a full bucket needs a full one. */
function amountsOf(used: Readonly<Record<Kind, number>>, perMinute: PerMinute): Amounts {
  return each((kind) => {
    const limit = perMinute[kind];
    return limit === undefined ? 0 : (Math.min(used[kind], limit) * BUCKET_MS) / limit;
  });
}

/** By what is known of the fleet, and in any case by what this instance has let through. */
function levelsOf({ own, fleet, untold }: Account, now: number): Levels {
  return each(
    (kind) => now + Math.max(behind(own[kind], now, MOST_OWN_MS), behind((untold?.levels ?? fleet)[kind], now)),
  );
}

function gaugesOf({ perMinute }: LimitedCaller, levels: Levels, now: number): readonly Gauge[] {
  return kinds.flatMap((kind) => {
    const limit = perMinute[kind];
    if (limit === undefined) return [];
    const ms = behind(levels[kind], now);
    const left = Math.max(0, Math.floor(((BUCKET_MS - ms + ROUNDING_MS) * limit) / BUCKET_MS));
    return [{ kind, perMinute: limit, left, seconds: Math.ceil(ms / 1_000) }];
  });
}

/** A clock that was set back makes it long ago. */
function isOver(ms: number, since: number, now: number): boolean {
  return now < since || now - since >= ms;
}
