import type { Clock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';

export interface RetryOptions {
  /** The first included. */
  readonly attempts: number;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly signal?: AbortSignal;
}

const BASE_MS = 50;
const CAP_MS = 2_000;

/** Calls again after a StoreUnavailableError, with exponential backoff and full jitter. @throws the last error */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const again = thrown instanceof StoreUnavailableError && attempt < options.attempts;
      if (!again || options.signal?.aborted) {
        throw thrown;
      }
      await options.clock.sleep(options.random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)), options.signal);
    }
  }
}
