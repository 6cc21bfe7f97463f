import { messageOf } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';

/** What a store was last heard to say. */
export interface Reading<Value> {
  /** Undefined until the first answer. */
  readonly known: Value | undefined;
  /** In words, why it is not of now. */
  readonly failure: string | undefined;
}

export interface CachedReadingOptions<Value> {
  readonly read: (signal: AbortSignal) => Promise<Value>;
  readonly clock: { now(): number };
  /** Ms for one reading: it may have to connect anew, and nobody's text waits for it. */
  readonly timeoutMs: number;
}

/** For which a reading, or the failure to read, is good. */
const FRESH_MS = 1_000;

/** Reads a store for people who look at it; never rejects. While the store is away it answers what was known last, and why. */
export function createCachedReading<Value>(options: CachedReadingOptions<Value>): () => Promise<Reading<Value>> {
  const { read, clock, timeoutMs } = options;
  let last: Reading<Value> = { known: undefined, failure: undefined };
  let triedAt: number | undefined;
  let reading: Promise<void> | undefined;

  return async () => {
    if (!isFresh()) {
      reading ??= attempt().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    return last;
  };

  /** A clock that was set back makes a reading old, not immortal. */
  function isFresh(): boolean {
    const now = clock.now();
    return triedAt !== undefined && now >= triedAt && now < triedAt + FRESH_MS;
  }

  async function attempt(): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      last = { known: await untilAborted(read(signal), signal), failure: undefined };
    } catch (thrown) {
      last = { ...last, failure: signal.aborted ? 'the store did not answer in time' : messageOf(thrown) };
    }
    triedAt = clock.now();
  }
}
