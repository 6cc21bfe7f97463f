import type { Clock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';

export interface RetryOptions {
  /** Failures in a row after which it gives up; with one call each, the first included. */
  readonly attempts: number;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly signal?: AbortSignal;
  /** How far the calls have come together: one that got further before it failed begins the count and the waits anew. */
  readonly progress?: () => number;
}

const BASE_MS = 50;
const CAP_MS = 2_000;

/** Calls again after a StoreUnavailableError, with exponential backoff and full jitter. @throws the last error */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, clock, random, signal, progress = () => 0 } = options;
  let inVain = 0;
  for (;;) {
    const before = progress();
    try {
      return await call();
    } catch (thrown) {
      inVain = progress() > before ? 0 : inVain + 1;
      if (!(thrown instanceof StoreUnavailableError) || inVain >= attempts || signal?.aborted) {
        throw thrown;
      }
      await clock.sleep(random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, inVain - 1)), signal);
    }
  }
}
