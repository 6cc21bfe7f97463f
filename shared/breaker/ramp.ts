/** Percent of the calls that go through in each quarter of the ramp. */
const SHARES = [10, 25, 50, 100] as const;

/** Calls come back bit by bit. Which ones follows from counting, so that the first is among them and no chance is needed. */
export class Ramp {
  readonly #startedAt: number;
  readonly #stepMs: number;
  /** Percent of a call. */
  #credit = 100;

  /** @param now elapsed ms, like all times here */
  constructor(now: number, rampMs: number) {
    this.#startedAt = now;
    this.#stepMs = rampMs / SHARES.length;
  }

  isOver(now: number): boolean {
    return this.#step(now) >= SHARES.length;
  }

  /** Whether this call goes through. */
  admits(now: number): boolean {
    const share = SHARES[this.#step(now)] ?? 100;
    const goesThrough = this.#credit >= 100;
    this.#credit += goesThrough ? share - 100 : share;
    return goesThrough;
  }

  /** Ms until a larger share goes through. */
  nextStepMs(now: number): number {
    return this.#startedAt + (this.#step(now) + 1) * this.#stepMs - now;
  }

  #step(now: number): number {
    // Without any length it is over in the moment in which it begins.
    return this.#stepMs > 0 ? Math.floor((now - this.#startedAt) / this.#stepMs) : SHARES.length;
  }
}
