import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import type { BreakerClock } from './breaker-clock.ts';
import { SlidingWindow } from './sliding-window.ts';

/** What a call says of what it called; `neutral` says nothing of it. */
export type Verdict = 'success' | 'failure' | 'neutral';

/** What calls have said since one moment, and whether it is enough to open. A rule more is a case more here. */
export class Evidence {
  readonly #settings: CircuitBreakerSettings;
  readonly #clock: BreakerClock;
  readonly #window: SlidingWindow;
  #inARow = 0;

  constructor(settings: CircuitBreakerSettings, clock: BreakerClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#window = new SlidingWindow(settings.windowMs);
  }

  /** @returns in words, why this call opens the breaker; undefined when it does not */
  add(failed: boolean, slow: boolean): string | undefined {
    const { rule, failureThreshold } = this.#settings;
    if (rule === 'consecutive') {
      // A success costs no more than this.
      if (!failed) {
        this.#inARow = 0;
        return undefined;
      }
      this.#inARow += 1;
      return this.#inARow >= failureThreshold ? `${this.#inARow} calls in a row failed` : undefined;
    }
    this.#window.add(this.#clock.elapsed(), failed, slow);
    // A good call never opens it, even where it completes the minimum.
    return failed || slow ? this.#tooMany() : undefined;
  }

  /** Those that count now. */
  failures(): number {
    if (this.#settings.rule === 'consecutive') return this.#inARow;
    this.#window.advance(this.#clock.elapsed());
    return this.#window.failures;
  }

  #tooMany(): string | undefined {
    const { minimumCalls, failureRatePercent, slowCallRatePercent } = this.#settings;
    const { calls, failures, slow } = this.#window;
    if (calls < minimumCalls) return undefined;
    if (failures * 100 >= failureRatePercent * calls) return `${failures} of ${calls} calls failed`;
    if (slow * 100 >= slowCallRatePercent * calls) return `${slow} of ${calls} calls were slow`;
    return undefined;
  }
}
