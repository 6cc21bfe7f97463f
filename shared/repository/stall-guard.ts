import { StoreUnavailableError } from './errors.ts';

export interface StallGuard {
  readonly signal: AbortSignal;
  /** Something arrived. */
  tick(): void;
}

/**
 * Runs work that listens to the guard's signal and ends it when nothing has arrived for `stallMs` (at most half as much
 * longer). One late timer means little: after a freeze it fires before the bytes that wait in the socket are read.
 */
export async function guardStall<T>(
  stallMs: number,
  outer: AbortSignal,
  work: (guard: StallGuard) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const stalled = new AbortController();
  let silent = 0;
  const timer = setInterval(() => {
    silent += 1;
    if (silent === 3) {
      stalled.abort(new StoreUnavailableError(`nothing arrived for ${stallMs} ms`));
    }
  }, stallMs / 2);
  const signal = AbortSignal.any([outer, stalled.signal]);
  try {
    return await work({
      signal,
      tick() {
        silent = 0;
      },
    });
  } finally {
    clearInterval(timer);
  }
}
