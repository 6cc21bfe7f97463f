export interface RetryBudgetOptions {
  /** Retries that each call allows for. */
  readonly ratio?: number;
  /** Retries that may come at once, and before there were any calls. */
  readonly burst: number;
}

/** Since the start of the process. */
export interface RetryReport {
  /** First attempts, and attempts after one that brought something. */
  readonly calls: number;
  readonly retries: number;
  /** Retries that were not made, since there had been too many. */
  readonly refused: number;
}

/** In parts of a retry, so that sums are exact. */
const PARTS = 1_000;

/**
 * What all callers of one store may add to its load by trying again: a share of their calls. When it fails now and then every call is tried
 * again; when it fails for all, nearly none is, and it gets no more calls than ever.
 */
export class RetryBudget {
  readonly #gain: number;
  readonly #most: number;
  #left: number;
  #calls = 0;
  #retries = 0;
  #refused = 0;

  constructor({ ratio = 0.1, burst }: RetryBudgetOptions) {
    this.#gain = Math.round(ratio * PARTS);
    this.#most = burst * PARTS;
    this.#left = this.#most;
  }

  called(): void {
    this.#calls += 1;
    this.#left = Math.min(this.#most, this.#left + this.#gain);
  }

  /** Whether one more retry may be made, which is then counted as made. */
  mayRetry(): boolean {
    if (this.#left < PARTS) {
      this.#refused += 1;
      return false;
    }
    this.#left -= PARTS;
    this.#retries += 1;
    return true;
  }

  report(): RetryReport {
    return { calls: this.#calls, retries: this.#retries, refused: this.#refused };
  }
}

/** Of each store, for the whole process. */
export interface StoreRetries {
  readonly s3: RetryBudget;
  readonly dynamo: RetryBudget;
}

export function createStoreRetries(): StoreRetries {
  // Of S3, as many as the parts of a download that are under way may need together; DynamoDB is called once or twice.
  return { s3: new RetryBudget({ burst: 30 }), dynamo: new RetryBudget({ burst: 10 }) };
}
