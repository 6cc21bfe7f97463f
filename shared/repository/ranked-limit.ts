/** Runs a task when there is a place for it. */
export type Limit = <Value>(task: () => Promise<Value>) => Promise<Value>;

/** Lets so many tasks run at once; those of the second rank begin when none of the first waits. */
export class RankedLimit {
  readonly first: Limit = (task) => this.#run(task, this.#waitingFirst);
  readonly second: Limit = (task) => this.#run(task, this.#waitingSecond);
  #free: number;
  readonly #waitingFirst: (() => void)[] = [];
  readonly #waitingSecond: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async #run<Value>(task: () => Promise<Value>, waiting: (() => void)[]): Promise<Value> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waitingFirst.shift() ?? this.#waitingSecond.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
