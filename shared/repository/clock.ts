import { setTimeout as delay } from 'node:timers/promises';

/** Time as a parameter. */
export interface Clock {
  /** Wall clock, ms since the epoch: a monotonic clock can stand still while an instance is frozen. */
  now(): number;
  /** @throws the signal's reason */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (thrown) {
      throw signal?.aborted ? signal.reason : thrown;
    }
  },
};
