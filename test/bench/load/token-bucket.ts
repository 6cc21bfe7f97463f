/** Time that a token bucket stands on, in ms. */
export interface BucketClock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Bytes that may be sent at once after a rest, as ms of the rate. */
const BURST_MS = 20;

/** Lets bytes through at a rate, whoever asks, in the order of asking. */
export class TokenBucket {
  readonly #msPerByte: number;
  readonly #clock: BucketClock;
  /** Ms at which all that was let through has been paid for. */
  #paidUntil: number;

  constructor(bytesPerSecond: number, clock: BucketClock) {
    this.#msPerByte = 1000 / bytesPerSecond;
    this.#clock = clock;
    this.#paidUntil = clock.now() - BURST_MS;
  }

  /** Resolves when so many bytes may be sent. */
  async take(bytes: number): Promise<void> {
    const now = this.#clock.now();
    this.#paidUntil = Math.max(this.#paidUntil, now - BURST_MS) + bytes * this.#msPerByte;
    const early = this.#paidUntil - now;
    if (early > 0) await this.#clock.sleep(early);
  }
}
