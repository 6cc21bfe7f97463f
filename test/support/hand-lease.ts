import type { Lease } from '../../shared/host/model-host.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { RunResult } from '../../shared/runtime/batch.ts';
import type { OutputOf, TaskInput, TaskOutput } from '../../shared/runtime/tasks.ts';
import { translationManifest } from './fake-catalog.ts';

/** A run that a lease was asked for, until the test ends it. */
export interface HandRun {
  readonly texts: readonly string[];
  /** Each text comes back as it is; a text that `fails` throws names fails with it. */
  end(fails?: (text: string) => Error | undefined): void;
  /** The thread dies. */
  die(error: Error): void;
}

/** A hold on a model whose runs the test ends by hand. */
export class HandLease implements Lease {
  readonly manifest: Manifest;
  readonly worker = {};
  readonly runs: HandRun[] = [];

  constructor(manifest: Manifest = translationManifest('m', 'en>es')) {
    this.manifest = manifest;
  }

  run<Input extends TaskInput>(input: Input, { signal }: { signal?: AbortSignal } = {}) {
    return this.runBatch([{ input, signal }]).results[0] as Promise<RunResult<OutputOf<Input>>>;
  }

  runBatch<Input extends TaskInput>(members: readonly { input: Input; signal?: AbortSignal | undefined }[]) {
    const parts = members.map(({ input, signal }) => {
      const part = open<RunResult<TaskOutput>>();
      signal?.addEventListener('abort', () => part.reject(signal.reason));
      return { ...part, text: input.texts[0] ?? '' };
    });
    const ended = open<number | undefined>();
    this.runs.push({
      texts: parts.map(({ text }) => text),
      end: (fails = () => undefined) => {
        for (const { text, resolve, reject } of parts) {
          const error = fails(text);
          if (error === undefined) resolve({ output: translated(text), computeMs: 10 });
          else reject(error);
        }
        ended.resolve(10);
      },
      die: (error) => {
        for (const { reject } of parts) reject(error);
        ended.resolve(undefined);
      },
    });
    return {
      results: parts.map(({ promise }) => promise as Promise<RunResult<OutputOf<Input>>>),
      ended: ended.promise,
    };
  }

  release(): void {}
}

/** A promise that is settled from outside. */
function open<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (thrown: unknown) => void = () => undefined;
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

function translated(text: string): TaskOutput {
  return {
    task: 'translation',
    translations: [{ text, alternatives: [], confidence: null }],
    usage: { sourceTokens: 1, targetTokens: 1, steps: 1 },
  };
}
