const BUCKETS = 10;

/** Calls of the last `windowMs`, give or take a tenth of it: counts in a ring of buckets, the oldest of which is emptied. */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #calls = new Int32Array(BUCKETS);
  readonly #failures = new Int32Array(BUCKETS);
  readonly #slow = new Int32Array(BUCKETS);
  /** The number of the newest bucket, counted from the beginning of time. */
  #newest = 0;
  calls = 0;
  failures = 0;
  slow = 0;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  /** @param now elapsed ms, never less than before */
  add(now: number, failed: boolean, slow: boolean): void {
    this.advance(now);
    const at = this.#newest % BUCKETS;
    this.#calls[at] = (this.#calls[at] ?? 0) + 1;
    this.calls += 1;
    if (failed) {
      this.#failures[at] = (this.#failures[at] ?? 0) + 1;
      this.failures += 1;
    }
    if (slow) {
      this.#slow[at] = (this.#slow[at] ?? 0) + 1;
      this.slow += 1;
    }
  }

  /** So many calls at once that were neither failures nor slow. */
  addGood(now: number, calls: number): void {
    this.advance(now);
    const at = this.#newest % BUCKETS;
    this.#calls[at] = (this.#calls[at] ?? 0) + calls;
    this.calls += calls;
  }

  /** Forgets what has become too old. */
  advance(now: number): void {
    const newest = Math.floor(now / this.#bucketMs);
    const empty = Math.min(BUCKETS, newest - this.#newest);
    for (let step = 0; step < empty; step++) {
      const at = (newest - step) % BUCKETS;
      this.calls -= this.#calls[at] ?? 0;
      this.failures -= this.#failures[at] ?? 0;
      this.slow -= this.#slow[at] ?? 0;
      this.#calls[at] = 0;
      this.#failures[at] = 0;
      this.#slow[at] = 0;
    }
    this.#newest = newest;
  }
}
