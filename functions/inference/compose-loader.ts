import type { ModelLoader } from '../../shared/host/model-loader.ts';
import { createWorkerModelLoader } from '../../shared/host/worker-model-loader.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import type { SpareWorker } from '../../shared/runtime/spare-worker.ts';
import type { Beginnings } from './beginnings.ts';

const MIB = 1024 * 1024;

/** A model's way from S3 over the disk into a worker of its own. */
export function composeLoader(
  { settings, engine, stores, isProvisioned }: Beginnings,
  spare: SpareWorker,
): ModelLoader {
  const clock = systemClock;
  const cache = new FileCache({
    folder: settings.cacheFolder,
    maxBytes: settings.cacheMb * MIB,
    identity: thisProcess(),
    clock,
  });
  const downloader = new Downloader({
    store: stores.objects,
    cache,
    settings: settings.download,
    clock,
    random: Math.random,
    retries: stores.retries.s3,
  });
  return createWorkerModelLoader({
    downloader,
    engine,
    spare,
    warmUp: isProvisioned ? settings.warmUp.provisioned : settings.warmUp.onDemand,
    ...(settings.numBeams === undefined ? {} : { numBeams: settings.numBeams }),
  });
}
