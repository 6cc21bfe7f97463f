/** What an instance has had to do since its start. */
export interface InstanceTraffic {
  readonly requests: number;
  /** Of these, answers with 5xx. */
  readonly failures: number;
  /** Runs that the gate of admission refused. */
  readonly shed: number;
  readonly inFlight: number;
  /** What a request waits for its turn, lately. */
  readonly queueDelayMs: number;
  /** What runs take in their threads, lately; undefined: there were none. */
  readonly serviceMs: { readonly p50: number; readonly p90: number } | undefined;
  /** Tokens of translations. */
  readonly tokens: number;
  /** Models that came to READY. */
  readonly loads: number;
  /** Models that went to make room, or because memory ran out. */
  readonly evictions: number;
}

/** Runs that service times are told of. */
const LATELY = 128;

/** Counts what an instance does. */
export class TrafficMeter {
  #requests = 0;
  #failures = 0;
  #inFlight = 0;
  #tokens = 0;
  #loads = 0;
  #evictions = 0;
  /** Ms; the oldest is overwritten. */
  readonly #service: number[] = [];
  #runs = 0;

  began(): void {
    this.#inFlight++;
  }

  ended(status: number): void {
    this.#inFlight--;
    this.#requests++;
    if (status >= 500) this.#failures++;
  }

  ran(computeMs: number): void {
    this.#service[this.#runs++ % LATELY] = computeMs;
  }

  translated(tokens: number): void {
    this.#tokens += tokens;
  }

  loaded(): void {
    this.#loads++;
  }

  evicted(): void {
    this.#evictions++;
  }

  /** @param admission what the gate tells, where there is one */
  report(
    admission: { readonly shed: number; readonly queueDelayMs: number } = { shed: 0, queueDelayMs: 0 },
  ): InstanceTraffic {
    const sorted = this.#service.toSorted((a, b) => a - b);
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return {
      requests: this.#requests,
      failures: this.#failures,
      inFlight: this.#inFlight,
      ...admission,
      serviceMs: sorted.length === 0 ? undefined : { p50: quantile(0.5), p90: quantile(0.9) },
      tokens: this.#tokens,
      loads: this.#loads,
      evictions: this.#evictions,
    };
  }
}
