import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import { Breaker } from './breaker.ts';
import type { BreakerClock } from './breaker-clock.ts';
import type { BreakerReport, BreakerTransition } from './breaker-state.ts';

/** For how long a breaker that was asked counts as one that is at work. */
const ASKED_MS = 60_000;

/** All breakers of one instance. */
export class Breakers {
  readonly #clock: BreakerClock;
  readonly #onTransition: (transition: BreakerTransition) => void;
  readonly #byName = new Map<string, Breaker>();
  /** Of those before models: elapsed ms when it was first seen that they had been asked again. */
  readonly #askedAt = new Map<Breaker, number>();

  constructor(clock: BreakerClock, onTransition: (transition: BreakerTransition) => void) {
    this.#clock = clock;
    this.#onTransition = onTransition;
  }

  /** The breaker of this name; the first who asks decides on its settings. */
  get(name: string, settings: CircuitBreakerSettings, model?: string): Breaker {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const breaker = new Breaker({
      name,
      ...(model === undefined ? {} : { model }),
      settings,
      clock: this.#clock,
      onTransition: this.#onTransition,
    });
    this.#byName.set(name, breaker);
    if (model !== undefined) this.#askedAt.set(breaker, Number.NEGATIVE_INFINITY);
    return breaker;
  }

  /**
   * Names of the breakers before models that calls came to within the last minute, refused ones included. A call counts from
   * the first look after it: it costs a call no time to be seen.
   */
  asked(): readonly string[] {
    const now = this.#clock.elapsed();
    const names: string[] = [];
    for (const [breaker, before] of this.#askedAt) {
      const askedAt = breaker.takeAsked() ? now : before;
      this.#askedAt.set(breaker, askedAt);
      if (now - askedAt < ASKED_MS) names.push(breaker.name);
    }
    return names;
  }

  report(): readonly BreakerReport[] {
    return Array.from(this.#byName.values(), (breaker) => breaker.report());
  }
}
