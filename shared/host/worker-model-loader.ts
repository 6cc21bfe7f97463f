import type { Downloader } from '../repository/download.ts';
import { type Manifest, runtimeFiles } from '../repository/manifest.ts';
import type { CompiledEngine } from '../runtime/compiled-engine.ts';
import { ModelWorker } from '../runtime/model-worker.ts';
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
      const hold = await downloader.lease(manifest);
      const giveUp = async () => {
        await hold.release();
        await (await starting).terminate();
      };
      try {
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
        await orAborted(loading, signal);
        return {
          run: (input, runSignal) => worker.run(input, runSignal),
          async end() {
            await worker.terminate();
            await hold.release();
          },
        };
      } catch (thrown) {
        await giveUp();
        throw thrown;
      }
    },
  };
}

function withBeams(manifest: Manifest, numBeams: number | undefined): Manifest {
  if (manifest.task !== 'translation' || numBeams === undefined) return manifest;
  return { ...manifest, generation: { ...manifest.generation, numBeams } };
}

/** Stops waiting when the signal says so; what was waited for is ended by whoever catches. */
function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
