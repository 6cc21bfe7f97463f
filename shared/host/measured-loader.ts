import { modelKey } from '../repository/manifest.ts';
import type { TaskOutput } from '../runtime/tasks.ts';
import type { LoadedWorker, ModelLoader } from './model-loader.ts';

/** Told of what models do. */
export interface RunObserver {
  /** A thread was through with a run, or with a batch. @param model `id@version` */
  ran(model: string, computeMs: number): void;
  /** One caller's texts were translated. */
  translated(model: string, usage: { readonly sourceTokens: number; readonly targetTokens: number }): void;
}

/** The same loader, whose workers tell what they have done. */
export function measureRuns(loader: ModelLoader, runs: RunObserver): ModelLoader {
  return {
    thawed: () => loader.thawed(),
    async load(manifest, observer, signal): Promise<LoadedWorker> {
      const worker = await loader.load(manifest, observer, signal);
      const model = modelKey(manifest);
      const told = (output: TaskOutput) => {
        if (output.task === 'translation') runs.translated(model, output.usage);
      };
      return {
        heapBytes: worker.heapBytes,
        async run(input, runSignal) {
          const result = await worker.run(input, runSignal);
          runs.ran(model, result.computeMs);
          told(result.output);
          return result;
        },
        runBatch(members) {
          const { results, ended } = worker.runBatch(members);
          return {
            ended: ended.then((computeMs) => {
              if (computeMs !== undefined) runs.ran(model, computeMs);
              return computeMs;
            }),
            results: results.map(async (result) => {
              const known = await result;
              told(known.output);
              return known;
            }),
          };
        },
        end: () => worker.end(),
      };
    },
  };
}
