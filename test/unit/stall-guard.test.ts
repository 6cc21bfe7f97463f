import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { guardStall, type StallGuard } from '../../shared/repository/stall-guard.ts';

describe('the stall guard', () => {
  const never = new AbortController().signal;
  let guard: StallGuard | undefined;

  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** Work that ends when its guard ends it. */
  function start(): Promise<unknown> {
    const work = guardStall(1_000, never, (given) => {
      guard = given;
      return new Promise((_, reject) =>
        given.signal.addEventListener('abort', () => reject(given.signal.reason as Error)),
      );
    });
    return work.catch((thrown: unknown) => thrown);
  }

  it('ends what brings nothing for half as long again as it may, and not before its time', () => {
    const ended = start();

    vi.advanceTimersByTime(1_000);
    expect(guard?.signal.aborted).toBe(false);
    vi.advanceTimersByTime(500);

    expect(guard?.signal.aborted).toBe(true);
    return expect(ended).resolves.toBeInstanceOf(StoreUnavailableError);
  });

  it('lets live what brings something in time, for as long as it likes', () => {
    void start();

    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(990);
      guard?.tick();
    }

    expect(guard?.signal.aborted).toBe(false);
  });
});
