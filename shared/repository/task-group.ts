/** Tasks that fail together: the first failure aborts the others, and `done` waits until every one has ended. */
export class TaskGroup {
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #tasks: Promise<void>[] = [];
  #failure: { readonly reason: unknown } | undefined;

  constructor(outer?: AbortSignal) {
    this.#signal = outer === undefined ? this.#controller.signal : AbortSignal.any([outer, this.#controller.signal]);
  }

  /** Also from within a task. */
  start(task: (signal: AbortSignal) => Promise<void>): void {
    this.#tasks.push(
      task(this.#signal).catch((reason: unknown) => {
        this.#failure ??= { reason };
        this.#controller.abort(reason);
      }),
    );
  }

  /** @throws what the first task that failed threw */
  async done(): Promise<void> {
    for (let next = 0; next < this.#tasks.length; next++) {
      await this.#tasks[next];
    }
    if (this.#failure !== undefined) {
      throw this.#failure.reason;
    }
  }
}
