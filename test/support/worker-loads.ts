import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadObserver } from '../../shared/host/model-loader.ts';
import { createWorkerModelLoader, type WorkerModelLoaderOptions } from '../../shared/host/worker-model-loader.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { ObjectStore } from '../../shared/repository/object-store.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';

export interface TestLoaderOptions extends Partial<WorkerModelLoaderOptions> {
  readonly engine: WorkerModelLoaderOptions['engine'];
  readonly store: ObjectStore;
  readonly cacheFolder: string;
  /** Bytes that the cache folder may hold; default 1 GB. */
  readonly maxBytes?: number;
}

/** The loader as it is deployed, over a store of the test's own. */
export function createLoader({ store, cacheFolder, maxBytes = 1e9, ...options }: TestLoaderOptions) {
  const cache = new FileCache({ folder: cacheFolder, maxBytes, identity: thisProcess(), clock: systemClock });
  const settings = { partBytes: 4_000_000, concurrency: 4, attempts: 1, stallMs: 10_000 };
  const downloader = new Downloader({ store, cache, settings, clock: systemClock, random: Math.random });
  return createWorkerModelLoader({ downloader, warmUp: 1, ...options });
}

/** Notes what a load tells. */
export function observe() {
  const told: string[] = [];
  let bytesDone = 0;
  let bytesTotal = Number.NaN;
  const observer: LoadObserver = {
    onDownloaded(progress) {
      ({ bytesDone, bytesTotal } = progress);
    },
    onInitializing: () => told.push('initializing'),
    onWarming: () => told.push('warming'),
    onCrash: (error) => told.push(error.message),
  };
  return { observer, told, share: () => bytesDone / bytesTotal };
}

/** Worker threads of this process. */
export function threads(): number {
  return (process.report.getReport() as unknown as { workers: readonly unknown[] }).workers.length;
}

/** Holds on a version's files in the cache folder. */
export async function holds(cacheFolder: string, { id, version }: Manifest): Promise<number> {
  return (await readdir(join(cacheFolder, id, version, 'leases')).catch(() => [])).length;
}
