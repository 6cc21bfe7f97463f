import type { CompiledEngine } from './compiled-engine.ts';
import type { WorkerCrashedError } from './errors.ts';
import { ModelWorker } from './model-worker.ts';

/**
 * A thread that is started before anybody knows which model it is for, so that the first load of a process finds its engine
 * started, and its code compiled: that takes as long as reading the manifest and a permit does. Later loads find it compiled, and
 * the memory of a thread that nobody needs is better used.
 */
export class SpareWorker {
  readonly #threads: number;
  #worker: ModelWorker | undefined;
  #onEnd: (error: WorkerCrashedError) => void = () => {
    this.#worker = undefined;
  };

  /** @param hangMs as `ModelWorker.start` has it */
  constructor(engine: CompiledEngine, hangMs?: number) {
    this.#threads = engine.threads;
    this.#worker = ModelWorker.start(engine, (error) => this.#onEnd(error), { hangMs, rehearses: true });
  }

  /**
   * The thread, whose end is told from now on; undefined when there is none (any more) whose engine computes with so many threads.
   * At most one caller gets it, and there is none afterwards.
   */
  take(threads: number, onEnd: (error: WorkerCrashedError) => void): ModelWorker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    if (threads !== this.#threads) {
      void worker?.terminate();
      return undefined;
    }
    this.#onEnd = onEnd;
    return worker;
  }

  /** Ends the thread if nobody took it. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
