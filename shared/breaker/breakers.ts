import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import { Breaker } from './breaker.ts';
import type { BreakerClock } from './breaker-clock.ts';
import type { BreakerReport, BreakerTransition } from './breaker-state.ts';

/** All breakers of one instance. */
export class Breakers {
  readonly #clock: BreakerClock;
  readonly #onTransition: (transition: BreakerTransition) => void;
  readonly #byName = new Map<string, Breaker>();

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
    return breaker;
  }

  report(): readonly BreakerReport[] {
    return Array.from(this.#byName.values(), (breaker) => breaker.report());
  }
}
