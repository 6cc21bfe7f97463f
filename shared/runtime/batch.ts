import type { TaskInput, TaskOutput } from './tasks.ts';

/** What a run gave. */
export interface RunResult<Output extends TaskOutput> {
  readonly output: Output;
  /** Ms that the thread took for the run; of the whole batch where it was one of several. */
  readonly computeMs: number;
}

/** One caller's part in a batch. */
export interface BatchMember<Input extends TaskInput> {
  readonly input: Input;
  readonly signal?: AbortSignal | undefined;
}

/** A batch on its way. */
export interface BatchRun<Output extends TaskOutput> {
  /**
   * One for each member, in order. It rejects at once with the reason of the member's signal when that is aborted: the
   * member's rows leave the batch before the next step. Otherwise it settles when the batch has ended, as a run does.
   */
  readonly results: readonly Promise<RunResult<Output>>[];
  /** When the thread is through with it, however it ended: the ms that it took, undefined when the thread died. Never rejects. */
  readonly ended: Promise<number | undefined>;
}

/** Inputs with the same key may share a batch. */
export function batchKey(input: TaskInput): string {
  switch (input.task) {
    case 'translation': {
      const { source, target, alternatives, numBeams, maxNewTokens, withConfidence } = input;
      return JSON.stringify([source, target, alternatives ?? 0, numBeams, maxNewTokens, withConfidence ?? false]);
    }
    case 'language-detection':
      return input.task;
  }
}
