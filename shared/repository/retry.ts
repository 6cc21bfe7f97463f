import type { Clock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface RetryOptions {
  /** Failures in a row after which it gives up; with one call each, the first included. */
  readonly attempts: number;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly signal?: AbortSignal;
  /** Of all who call the same store. @default - as many retries as there are attempts */
  readonly budget?: RetryBudget | undefined;
  /** How far the calls have come together: one that got further before it failed begins the count and the waits anew. */
  readonly progress?: () => number;
}

const BASE_MS = 50;
const CAP_MS = 2_000;

/**
 * Calls again after a StoreUnavailableError, with exponential backoff and full jitter: here, and in no SDK below.
 * @throws the last error
 */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, clock, random, signal, budget, progress = () => 0 } = options;
  let inVain = 0;
  budget?.called();
  for (;;) {
    const before = progress();
    try {
      return await call();
    } catch (thrown) {
      inVain = progress() > before ? 0 : inVain + 1;
      if (!(thrown instanceof StoreUnavailableError) || inVain >= attempts || signal?.aborted) {
        throw thrown;
      }
      // One that brought something has added nothing to the load that had not to come anyway.
      if (inVain === 0) budget?.called();
      else if (budget?.mayRetry() === false) throw thrown;
      await clock.sleep(random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, inVain - 1)), signal);
    }
  }
}
