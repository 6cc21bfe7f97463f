import TinyQueue from 'tinyqueue';

interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** The true time of a history, in ms: it stands still while code runs, and jumps to whatever comes next. */
export class VirtualTime {
  readonly #agenda = new TinyQueue<Appointment>([], (a, b) => a.at - b.at || a.order - b.order);
  #now = 0;
  #order = 0;
  #events = 0;

  now(): number {
    return this.#now;
  }

  /** Steps that were run. */
  get events(): number {
    return this.#events;
  }

  at(time: number, run: () => void): void {
    this.#order += 1;
    this.#agenda.push({ at: Math.max(time, this.#now), order: this.#order, run });
  }

  after(ms: number, run: () => void): void {
    this.at(this.#now + ms, run);
  }

  /** Runs what comes until then, what it brings about included. */
  runUntil(end: number): void {
    for (let next = this.#agenda.peek(); next !== undefined && next.at <= end; next = this.#agenda.peek()) {
      this.#agenda.pop();
      this.#now = next.at;
      this.#events += 1;
      next.run();
    }
    this.#now = end;
  }
}
