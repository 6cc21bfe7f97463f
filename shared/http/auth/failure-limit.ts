import { LRUCache } from 'lru-cache';
import { lazy } from '../../lazy.ts';

/** Wrong credentials that may come from one network at once, and how fast that comes back. */
const BURST = 20;
const MS_PER_FAILURE = 3_000;
/** Networks that are remembered; of more, those are forgotten that failed longest ago. */
const MOST_NETWORKS = 10_000;

/** What one network has spent: failures of late, less what has come back since. */
interface Spent {
  readonly failures: number;
  readonly at: number;
}

/** One try to show who one is, counted as a failure until it is known to be none. */
export interface Attempt {
  /** Seconds until a failure is answered as such; undefined: it is now. */
  readonly secondsLeft: number | undefined;
  /** It was no failure after all. */
  forgive(): void;
}

/** Counts wrong credentials by where they come from, in this instance's memory. */
export class FailureLimit {
  readonly #clock: { now(): number };
  /** Room for all of them is made when the first one fails. */
  readonly #spent = lazy(() => new LRUCache<string, Spent>({ max: MOST_NETWORKS }));

  /** @param clock wall clock, ms since the epoch */
  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** Counted before it is judged: many that are judged at the same time are no way around. */
  begin(network: string): Attempt {
    const before = this.#failures(network);
    const over = before + 1 - BURST;
    // Who goes on although told to wait is not told to wait longer and longer.
    const counted = Math.min(1, BURST - before);
    this.#set(network, before + counted);
    return {
      secondsLeft: over <= 0 ? undefined : Math.max(1, Math.ceil((over * MS_PER_FAILURE) / 1_000)),
      forgive: () => this.#set(network, this.#failures(network) - counted),
    };
  }

  #set(network: string, failures: number): void {
    if (failures <= 0) this.#spent().delete(network);
    else this.#spent().set(network, { failures, at: this.#clock.now() });
  }

  #failures(network: string): number {
    const spent = this.#spent().get(network);
    if (spent === undefined) return 0;
    const passed = Math.max(0, this.#clock.now() - spent.at);
    return Math.max(0, spent.failures - passed / MS_PER_FAILURE);
  }
}
