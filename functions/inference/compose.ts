import type { Hono } from 'hono';
import { readSettings } from '../../shared/config/settings.ts';
import { VERSION } from '../../shared/config/version.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { LazyModelHost } from '../../shared/host/lazy-model-host.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import { createWorkerModelLoader } from '../../shared/host/worker-model-loader.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { createJsonLog, type Log } from '../../shared/observability/log.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { compileEngine } from '../../shared/runtime/compiled-engine.ts';
import { createApp } from './app.ts';

const MIB = 1024 * 1024;

export interface Inference {
  readonly app: Hono<HttpEnv>;
  readonly host: ModelHost;
  readonly catalog: RepositoryCatalog;
  /** When the instance may be called started. */
  readonly started: Promise<unknown>;
}

/**
 * The whole inference function, by its environment.
 * @param assets folder of the bundle, with the worker and the engine; ends with a slash
 * @throws SettingsInvalidError
 */
export function composeInference(
  env: NodeJS.ProcessEnv,
  assets: URL,
  log: Log = createJsonLog((line) => process.stdout.write(`${line}\n`), systemClock),
): Inference {
  const settings = readSettings(env);
  // First of all: the engine compiles on threads of its own while the rest starts and the weights arrive.
  const engine = compileEngine(assets, settings.threads);
  const clock = systemClock;
  const stores = createLateStores(settings);
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
  });
  const isProvisioned = env['AWS_LAMBDA_INITIALIZATION_TYPE'] === 'provisioned-concurrency';
  const loader = createWorkerModelLoader({
    downloader,
    engine,
    warmUp: isProvisioned ? settings.warmUp.provisioned : settings.warmUp.onDemand,
    ...(settings.numBeams === undefined ? {} : { numBeams: settings.numBeams }),
  });
  const host = new LazyModelHost({ loader, clock, log });
  const catalog = createFleetCatalog(settings, stores);
  const app = createApp({ host, catalog, limits: settings.limits, log, clock, version: VERSION });
  // What nobody waits for may take its time; an instance that is frozen after its start should have it all.
  const started = isProvisioned ? stores.arrived : Promise.resolve();
  return { app, host, catalog, started };
}
