import { blindProbability } from './fleet-rules.ts';
import { Lottery } from './lottery.ts';

/**
 * Calls to what the fleet had open, while the store is away and nobody can claim a probe: about one instance of all tries one
 * call in the time of a look. All times are elapsed ms.
 */
export class BlindTries {
  readonly #lottery: Lottery;
  readonly #stretchMs: number;
  /** The stretch of time of the last try. */
  #triedIn: number | undefined;
  #successes = 0;

  /** @param stretchMs ms between two looks at the store, when it is there */
  constructor(random: () => number, stretchMs: number) {
    this.#lottery = new Lottery(random);
    this.#stretchMs = stretchMs;
  }

  /** Tries that succeeded since the store was there last. */
  get successes(): number {
    return this.#successes;
  }

  /** @param active instances, as far as that is known */
  mayTry(now: number, active: number | undefined): boolean {
    const stretch = this.#stretchOf(now);
    return this.#triedIn !== stretch && this.#lottery.wins(String(stretch), blindProbability(active));
  }

  tried(now: number): void {
    this.#triedIn = this.#stretchOf(now);
  }

  succeeded(): void {
    this.#successes += 1;
  }

  /** The store is there again. */
  forget(): void {
    this.#successes = 0;
  }

  #stretchOf(now: number): number {
    return Math.floor(now / this.#stretchMs);
  }
}
