/** One cold process and a crowd that wants models at the same moment: through the host, or each loading for itself. */
import { setMaxListeners } from 'node:events';
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { createFleetCatalog } from '../../../shared/fleet/fleet-catalog.ts';
import { createLateStores } from '../../../shared/fleet/late-stores.ts';
import type { LoadObserver } from '../../../shared/host/model-loader.ts';
import { createWorkerModelLoader } from '../../../shared/host/worker-model-loader.ts';
import type { Log } from '../../../shared/observability/log.ts';
import { systemClock } from '../../../shared/repository/clock.ts';
import { Downloader } from '../../../shared/repository/download.ts';
import { FileCache } from '../../../shared/repository/file-cache.ts';
import { thisProcess } from '../../../shared/repository/process-identity.ts';
import { compileEngine } from '../../../shared/runtime/compiled-engine.ts';
import { serve } from '../serve.ts';

export interface CrowdStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly way: 'host' | 'each for itself';
}

export interface CrowdRequest {
  /** Ids; requests take them in turns. */
  readonly models: readonly string[];
  readonly requests: number;
}

export interface Crowd {
  /** Ms from the moment at which all asked until each had its model. */
  readonly waitedMs: readonly number[];
  /** Loads begun. */
  readonly loads: number;
  /** MB, the most that the process has had. */
  readonly peakRssMb: number;
}

type TakeModel = (id: string) => Promise<unknown>;

const { bundle, way } = JSON.parse(process.argv[2] ?? '') as CrowdStart;
const assets = pathToFileURL(`${bundle}/`);
let loads = 0;
const takeModel = way === 'host' ? throughHost() : eachForItself();

serve<CrowdRequest, Crowd>(async ({ models, requests }) => {
  const asked = performance.now();
  const waitedMs = await Promise.all(
    Array.from({ length: requests }, async (_, index) => {
      await takeModel(models[index % models.length] ?? '');
      return performance.now() - asked;
    }),
  );
  return { waitedMs, loads, peakRssMb: process.resourceUsage().maxRSS / 1024 };
});

function throughHost(): TakeModel {
  const log: Log = {
    info: (event, fields) => {
      if (event === 'model.state' && fields?.['state'] === 'DOWNLOADING') loads++;
    },
    warn: () => {},
    error: (event, fields) => console.error(event, fields),
  };
  const { catalog, host } = composeInference(begin(process.env, assets), { log });
  return async (id) => host.lease(await catalog.model(id));
}

/** The same loader, store, catalog, cache and compiled engine; what is missing is the host. */
function eachForItself(): TakeModel {
  const settings = readSettings(process.env, assets);
  const engine = compileEngine(assets, settings.threads);
  const stores = createLateStores(settings);
  const clock = systemClock;
  const cache = new FileCache({
    folder: settings.cacheFolder,
    maxBytes: settings.cacheMb * 2 ** 20,
    identity: thisProcess(),
    clock,
  });
  const store = stores.objects;
  const downloader = new Downloader({ store, cache, settings: settings.download, clock, random: Math.random });
  const loader = createWorkerModelLoader({ downloader, engine, warmUp: settings.warmUp.onDemand });
  const catalog = createFleetCatalog(settings, stores);
  const observer: LoadObserver = {
    onDownloaded: () => {},
    onInitializing: () => {},
    onWarming: () => {},
    onCrash: (error) => console.error(error.message),
  };
  const { signal } = new AbortController();
  // All of them listen to it.
  setMaxListeners(0, signal);
  return async (id) => {
    const manifest = await catalog.model(id);
    loads++;
    return loader.load(manifest, observer, signal);
  };
}
