import type { BatchMember, BatchRun, RunResult } from './batch.ts';
import type { TaskInput, TaskOutput } from './tasks.ts';

interface Settle<Value> {
  resolve(value: Value): void;
  reject(reason: unknown): void;
}

/** A batch that was given to a thread, as its callers see it: each is told its own end once, and may go before. */
export class PostedBatch<Output extends TaskOutput> implements BatchRun<Output> {
  readonly results: readonly Promise<RunResult<Output>>[];
  readonly ended: Promise<number | undefined>;
  /** For each member an Int32, which the thread reads before each step: not 0 once nobody wants its answer any more. */
  readonly cancelled: SharedArrayBuffer;
  readonly #waiting = new Map<number, Settle<RunResult<Output>>>();
  readonly #end: (computeMs: number | undefined) => void;

  /** @param onAbandoned called when the last member that waited has gone, not when the batch ends; never within this call */
  constructor(members: readonly BatchMember<TaskInput>[], onAbandoned: () => void) {
    this.cancelled = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * members.length);
    const flags = new Int32Array(this.cancelled);
    let end: (computeMs: number | undefined) => void = () => undefined;
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    this.results = members.map(({ signal }, index) => {
      const result = new Promise<RunResult<Output>>((resolve, reject) => {
        this.#waiting.set(index, { resolve, reject });
      });
      const cancel = () => {
        // The thread sees it before its next step; the caller need not wait for that.
        Atomics.store(flags, index, 1);
        this.#take(index)?.reject(signal?.reason);
        if (!this.isAwaited) onAbandoned();
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const done = () => signal?.removeEventListener('abort', cancel);
      result.then(done, done);
      return result;
    });
    members.forEach(({ signal }, index) => {
      if (!signal?.aborted) return;
      Atomics.store(flags, index, 1);
      this.#take(index)?.reject(signal.reason);
    });
    if (!this.isAwaited) this.#end(0);
  }

  /** Whether somebody still waits for an answer. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** @param answerOf what a member is to be told */
  answered(computeMs: number, answerOf: (member: number) => Output | Error): void {
    for (const member of [...this.#waiting.keys()]) {
      const answer = answerOf(member);
      if (answer instanceof Error) this.#take(member)?.reject(answer);
      else this.#take(member)?.resolve({ output: answer, computeMs });
    }
    this.#end(computeMs);
  }

  /** The thread has died with it, or is told to. */
  died(error: Error): void {
    for (const member of [...this.#waiting.keys()]) this.#take(member)?.reject(error);
    this.#end(undefined);
  }

  #take(member: number): Settle<RunResult<Output>> | undefined {
    const settle = this.#waiting.get(member);
    this.#waiting.delete(member);
    return settle;
  }
}
