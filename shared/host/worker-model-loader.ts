import type { Downloader } from '../repository/download.ts';
import type { CacheLease } from '../repository/file-cache.ts';
import { type Manifest, runtimeFiles } from '../repository/manifest.ts';
import type { CompiledEngine } from '../runtime/compiled-engine.ts';
import type { WorkerCrashedError } from '../runtime/errors.ts';
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
  /** Ms, as `ModelWorker.start` has it. */
  readonly hangMs?: number;
}

/** Loads into a worker thread: the worker starts its engine while the files arrive. */
export function createWorkerModelLoader(options: WorkerModelLoaderOptions): ModelLoader {
  const { downloader, engine, warmUp } = options;
  return {
    thawed: () => downloader.thawed(),
    async load(manifest: Manifest, observer: LoadObserver, signal: AbortSignal): Promise<LoadedWorker> {
      // A worker that dies or cannot start ends the download, and a download that fails the start of the worker.
      const failed = new AbortController();
      const stopped = AbortSignal.any([signal, failed.signal]);
      const onEnd = (error: WorkerCrashedError) => {
        failed.abort(error);
        observer.onCrash(error);
      };
      const starting = ModelWorker.start(engine, onEnd, stopped, options.hangMs);
      starting.catch((thrown: unknown) => failed.abort(thrown));
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
          signal: stopped,
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
        const { heapBytes } = await untilAborted(loading, signal);
        return { heapBytes, run: (input, runSignal) => worker.run(input, runSignal), end };
      } catch (thrown) {
        failed.abort(thrown);
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
