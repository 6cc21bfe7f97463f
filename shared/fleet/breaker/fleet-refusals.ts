import type { BreakerClock } from '../../breaker/breaker-clock.ts';
import { BreakerOpenError } from '../../breaker/errors.ts';
import { isForced } from './digest-entry.ts';
import { stateOf } from './fleet-words.ts';
import type { KnownEntry } from './known-entry.ts';

/** While a probe is out, it may end at any moment. */
const SOON_MS = 1_000;

/** What callers are told whom the fleet refuses; the same error as long as it says the same, since an error is dear to make. */
export class FleetRefusals {
  readonly #breaker: string;
  readonly #model: string | undefined;
  readonly #clock: Pick<BreakerClock, 'wall'>;
  #last: BreakerOpenError | undefined;

  constructor(breaker: string, model: string | undefined, clock: Pick<BreakerClock, 'wall'>) {
    this.#breaker = breaker;
    this.#model = model;
    this.#clock = clock;
  }

  /** @param elapsed ms that have passed */
  of(known: Pick<KnownEntry, 'state' | 'ramp' | 'openForMs'>, elapsed: number): BreakerOpenError {
    const { state } = known;
    const told = stateOf(state);
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#retryAfterMs(known, elapsed) / 1000));
    const last = this.#last;
    if (last?.retryAfterSeconds === retryAfterSeconds && last.state === told) return last;
    const by = isForced(state) ? ', by an operator' : ' for the whole fleet';
    const refusal = new BreakerOpenError(`the circuit breaker of ${this.#breaker} is ${told}${by}`, {
      ...(this.#model === undefined ? {} : { model: this.#model }),
      state: told,
      retryAfterSeconds,
    });
    this.#last = refusal;
    return refusal;
  }

  /** Until a call that was refused just now is worth another try. */
  #retryAfterMs(known: Pick<KnownEntry, 'state' | 'ramp' | 'openForMs'>, elapsed: number): number {
    const { state, ramp } = known;
    switch (state.kind) {
      case 'OPEN':
        return known.openForMs();
      case 'RAMP':
        return ramp?.nextStepMs(elapsed) ?? 0;
      case 'FORCED_OPEN':
        return state.until - this.#clock.wall();
      case 'HALF_OPEN':
      case 'FORCED_CLOSED':
      case 'CLOSED':
        return SOON_MS;
    }
  }
}
