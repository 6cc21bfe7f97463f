import type { Downloader } from '../repository/download.ts';
import type { CacheLease } from '../repository/file-cache.ts';
import { type Manifest, runtimeFiles } from '../repository/manifest.ts';
import type { CompiledEngine } from '../runtime/compiled-engine.ts';
import { ModelWorker } from '../runtime/model-worker.ts';
import { untilAborted } from '../until-aborted.ts';
import type { LoadedWorker, LoadObserver, ModelLoader } from './model-loader.ts';

export interface WorkerModelLoaderOptions {
  readonly downloader: Downloader;
  readonly engine: CompiledEngine;
  /** Inferences of a warm-up; at least 1. */
  readonly warmUp: number;
  /** Replaces the manifests' number of beams. */
  readonly numBeams?: number;
}

/** Loads into a worker thread: the worker starts its engine while the files arrive. */
export function createWorkerModelLoader(options: WorkerModelLoaderOptions): ModelLoader {
  const { downloader, engine, warmUp } = options;
  return {
    async load(manifest: Manifest, observer: LoadObserver, signal: AbortSignal): Promise<LoadedWorker> {
      const starting = ModelWorker.start(engine, (error) => observer.onCrash(error));
      starting.catch(() => undefined);
      let hold: CacheLease | undefined;
      const end = async () => {
        try {
          await (await starting).terminate();
        } finally {
          await hold?.release();
        }
      };
      try {
        hold = await downloader.lease(manifest);
        const files = await downloader.ensureFiles(manifest, runtimeFiles(manifest), {
          signal,
          onProgress: (progress) => observer.onDownloaded(progress),
        });
        const worker = await starting;
        observer.onInitializing();
        const loading = worker.load({
          manifest: withBeams(manifest, options.numBeams),
          files,
          warmUp,
          onWarming: () => observer.onWarming(),
        });
        await untilAborted(loading, signal);
        return { run: (input, runSignal) => worker.run(input, runSignal), end };
      } catch (thrown) {
        // What failed first is what is told.
        await end().catch(() => undefined);
        throw thrown;
      }
    },
  };
}

function withBeams(manifest: Manifest, numBeams: number | undefined): Manifest {
  if (manifest.task !== 'translation' || numBeams === undefined) return manifest;
  return { ...manifest, generation: { ...manifest.generation, numBeams } };
}
