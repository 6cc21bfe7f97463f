import { StoreUnavailableError } from './errors.ts';

/** Tells work over sockets that the instance was frozen: what its sockets seem to be is no longer so. */
export class Thaws {
  #next = new AbortController();

  /** Aborted at the next thaw, with a StoreUnavailableError. */
  get next(): AbortSignal {
    return this.#next.signal;
  }

  happened(): void {
    const ended = this.#next;
    this.#next = new AbortController();
    ended.abort(new StoreUnavailableError('the instance was frozen'));
  }
}

/**
 * Does work that ends at a thaw, and at once begins it again: a freeze is nobody's failure.
 * @throws what the work throws otherwise, or the signal's reason
 */
export async function throughThaws(
  thaws: Thaws,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const thaw = thaws.next;
    try {
      await work(AbortSignal.any([signal, thaw]));
      return;
    } catch (thrown) {
      // A socket may have broken just before anybody knew of the freeze.
      const ended = thaw.aborted && thrown instanceof StoreUnavailableError;
      if (!ended) {
        throw thrown;
      }
    }
  }
}
