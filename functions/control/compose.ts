import type { Hono } from 'hono';
import { readSettings } from '../../shared/config/settings.ts';
import { VERSION } from '../../shared/config/version.ts';
import { digestKey, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { createCachedReading } from '../../shared/fleet/cached-reading.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { createSnapshotReader } from '../../shared/fleet/snapshot-reader.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { createJsonLog, type Log } from '../../shared/observability/log.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { createApp } from './app.ts';

export interface Control {
  readonly app: Hono<HttpEnv>;
  readonly catalog: RepositoryCatalog;
}

export interface ControlOptions {
  /** Folder of the bundle, with the configuration file; ends with a slash. */
  readonly assets?: URL;
  /** Where the instances are known without asking the store: in a process that is one itself. */
  readonly instances?: () => Promise<FleetView>;
  /** Default: JSON lines on standard output. */
  readonly log?: Log | undefined;
}

/** The whole control function, by its environment. @throws SettingsInvalidError */
export function composeControl(env: NodeJS.ProcessEnv, options: ControlOptions = {}): Control {
  const settings = readSettings(env, options.assets);
  const clock = systemClock;
  const log = options.log ?? createJsonLog((line) => process.stdout.write(`${line}\n`), clock);
  const stores = createLateStores(settings);
  const catalog = createFleetCatalog(settings, stores);
  const instances =
    options.instances ??
    createSnapshotReader({ store: stores.snapshots, clock, timeoutMs: settings.storeFirstTimeoutMs });
  const readDigest = createCachedReading({
    read: (signal) => stores.table.read(digestKey, { signal }),
    clock,
    timeoutMs: settings.storeFirstTimeoutMs,
  });
  const digest = async () => {
    const reading = await readDigest();
    catalog.announced(wishCount(reading.known));
    return reading;
  };
  const { strategy, preloadModels: named } = settings.modelLoading;
  const preloadModels = strategy === 'eager' ? 'all' : named;
  return { app: createApp({ catalog, instances, digest, preloadModels, log, clock, version: VERSION }), catalog };
}
