import { setImmediate } from 'node:timers/promises';

/** A turn of the event loop for each who asks, in the order in which they ask: in between it looks at its sockets. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  next(): Promise<void> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
