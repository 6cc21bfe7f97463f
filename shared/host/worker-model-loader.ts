import { availableParallelism } from 'node:os';
import type { Arrival, ArrivingFile } from '../repository/arrival.ts';
import type { Downloader } from '../repository/download.ts';
import type { CacheLease } from '../repository/file-cache.ts';
import { type Manifest, runtimeFiles } from '../repository/manifest.ts';
import type { CompiledEngine } from '../runtime/compiled-engine.ts';
import type { WorkerCrashedError } from '../runtime/errors.ts';
import { ModelWorker } from '../runtime/model-worker.ts';
import type { SpareWorker } from '../runtime/spare-worker.ts';
import { untilAborted } from '../until-aborted.ts';
import { HeldLoad } from './held-load.ts';
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
  /** For the first load. @default - none */
  readonly spare?: SpareWorker;
}

/** Loads into a worker thread: it starts its engine before the files arrive, and creates sessions while the weights do. */
export function createWorkerModelLoader(options: WorkerModelLoaderOptions): ModelLoader {
  const { downloader, engine, warmUp } = options;
  return {
    thawed: () => downloader.thawed(),
    async load(manifest: Manifest, observer: LoadObserver, signal: AbortSignal): Promise<LoadedWorker> {
      // A worker that dies, or has no engine to start, ends the download.
      const failed = new AbortController();
      const stopped = AbortSignal.any([signal, failed.signal]);
      const onEnd = (error: WorkerCrashedError) => {
        failed.abort(error);
        observer.onCrash(error);
      };
      const threads = threadsFor(manifest, engine.threads, availableParallelism());
      const start = () => ModelWorker.start({ ...engine, threads }, onEnd, { hangMs: options.hangMs });
      let worker = options.spare?.take(threads, onEnd) ?? start();
      let hold: CacheLease | undefined;
      const end = async () => {
        try {
          await worker.terminate();
        } finally {
          await hold?.release();
        }
      };
      const begin = (files: ReadonlyMap<string, string>, arrivingWeights?: ArrivingFile) => {
        const asked = { manifest: withBeams(manifest, options.numBeams), files, arrivingWeights, warmUp };
        return new HeldLoad(observer, (onWarming) => worker.load({ ...asked, onWarming }));
      };
      /** At most one. */
      const early: { readonly load: HeldLoad; readonly weights: Arrival }[] = [];
      try {
        hold = await downloader.lease(manifest);
        const files = await downloader.ensureFiles(manifest, runtimeFiles(manifest), {
          lease: hold,
          signal: stopped,
          onProgress: (progress) => observer.onDownloaded(progress),
          onWeightsOnly: (paths, weights) => early.push({ load: begin(paths, weights.file), weights }),
        });
        let load = early[0]?.load;
        if (early[0]?.weights.isVoid) {
          // It has read bytes that were thrown away.
          await worker.terminate();
          worker = start();
          load = undefined;
        }
        load ??= begin(files);
        const { heapBytes } = await untilAborted(load.verified(), signal);
        const loaded = worker;
        return {
          heapBytes,
          run: (input, runSignal) => loaded.run(input, runSignal),
          runBatch: (members) => loaded.runBatch(members),
          end,
        };
      } catch (thrown) {
        failed.abort(thrown);
        // What failed first is what is told.
        await end().catch(() => undefined);
        throw thrown;
      } finally {
        // The thread that read them has done so, or has ended.
        for (const { weights } of early) weights.close();
      }
    },
  };
}

/** What was found best for the model, as far as this machine has the cores for it. */
export function threadsFor({ loading }: Manifest, configured: number, cores: number): number {
  return loading?.threads === undefined ? configured : Math.min(loading.threads, cores);
}

function withBeams(manifest: Manifest, numBeams: number | undefined): Manifest {
  if (manifest.task !== 'translation' || numBeams === undefined) return manifest;
  return { ...manifest, generation: { ...manifest.generation, numBeams } };
}
