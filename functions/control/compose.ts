import { randomUUID } from 'node:crypto';
import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { VERSION } from '../../shared/config/version.ts';
import { digestKey, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { createCachedReading } from '../../shared/fleet/cached-reading.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import { guardStores } from '../../shared/fleet/guarded-stores.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import { ApiKeys } from '../../shared/fleet/keys/api-keys.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { createLateMemoryHistory } from '../../shared/fleet/memory/late-memory-history.ts';
import { renewAfterSilence } from '../../shared/fleet/renew-after-silence.ts';
import { createSnapshotReader } from '../../shared/fleet/snapshot-reader.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import { createWakeFleet } from '../../shared/fleet/wake-fleet.ts';
import { createAuthenticate } from '../../shared/http/auth/authenticate.ts';
import { measureRequests } from '../../shared/http/measured-requests.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { sampleProcess } from '../../shared/observability/process-metrics.ts';
import { createStandardOutput } from '../../shared/observability/standard-output.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { createAdminView } from './admin/admin-view.ts';
import { deployedModels } from './admin/deployed-models.ts';
import { createOperator } from './admin/operator.ts';
import { type ControlApp, createApp } from './app.ts';
import { createReadMemoryHistory } from './memory-history.ts';
import { createFleetMetricsPage, type MetricsPage } from './metrics-page.ts';
import { createStaticFiles } from './static-files.ts';

/** Ms that an operator's answer waits for the fleet to be woken. */
const WAKE_MS = 1_000;

export interface Control {
  readonly app: ControlApp;
  readonly catalog: RepositoryCatalog;
  /** Sends what was measured. */
  flush(): void;
}

export interface ControlOptions {
  /** Folder of the bundle, with the configuration file; ends with a slash. */
  readonly assets?: URL;
  /** Folder with what was built to be shown; ends with a slash. Default: the same. */
  readonly pages?: URL;
  /** Where the instances are known without asking the store: in a process that is one itself. */
  readonly instances?: () => Promise<FleetView>;
  /** What the gate of admission tells, where this process has it itself. */
  readonly admission?: () => AdmissionReport;
  /** How instances are told that there is news, if not by Lambda; whether they were. Does not reject. */
  readonly wakeFleet?: () => Promise<boolean>;
  /** Default: JSON lines on standard output. */
  readonly log?: Log | undefined;
  /** Default: on Lambda among the same lines. */
  readonly metrics?: Metrics | undefined;
  /** What `/metrics` answers. Default: what the instances' snapshots tell. */
  readonly metricsPage?: (() => Promise<MetricsPage>) | undefined;
}

/** The whole control function, by its environment. @throws SettingsInvalidError */
export function composeControl(env: NodeJS.ProcessEnv, options: ControlOptions = {}): Control {
  const settings = readSettings(env, options.assets);
  const clock = systemClock;
  const output = createStandardOutput(env, 'control', settings.logLevel);
  const { log = output.log, metrics = output.metrics } = options;
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
  // An operator waits for these: with patience.
  const timeoutMs = settings.storeFirstTimeoutMs;
  const digestNow = async () => {
    const read = (signal: AbortSignal) => stores.table.read(digestKey, { signal, isConsistent: true });
    return createCachedReading({ read, clock, timeoutMs })();
  };
  const deployed = deployedModels(settings);
  const { objects, activations, table } = stores;
  const view = createAdminView({ catalog, instances, objects, activations, table, deployed });
  const operator = createOperator({
    catalog,
    objects,
    activations,
    table,
    calls: createTableCalls({ store: table, clock, timeoutMs, firstTimeoutMs: timeoutMs, log }),
    deployed,
    wakeFleet:
      options.wakeFleet ??
      createWakeFleet({
        functions: settings.inferenceFunctions,
        connect: async () => (await import('../../shared/fleet/lambda-invoke.ts')).createInvokeLater(WAKE_MS),
        timeoutMs: WAKE_MS,
        log,
      }),
    clock,
    newId: randomUUID,
    log,
  });
  metrics.onSample(() => sampleProcess(metrics));
  const files = createStaticFiles(options.pages ?? options.assets);
  // Every request waits for its key: behind a breaker, and no longer than the fleet's policy allows.
  const onTransition = ({ breaker, from, to, reason }: BreakerTransition) =>
    log[to === 'OPEN' ? 'error' : 'info']('breaker.state', { breaker, from, state: to, reason });
  const guarded = guardStores(stores, new Breakers(createBreakerClock(clock.now), onTransition));
  const { storeTimeoutMs, storeFirstTimeoutMs: firstTimeoutMs } = settings;
  const keyCalls = createTableCalls({ store: guarded.table, clock, timeoutMs: storeTimeoutMs, firstTimeoutMs, log });
  const keys = new ApiKeys({ table: keyCalls, clock, ttlMs: settings.access.keyTtlMs });
  const app = createApp({
    authenticate: createAuthenticate({ keys, access: settings.access, clock }),
    sleepers: [renewAfterSilence(stores, clock)],
    catalog,
    instances,
    digest,
    digestNow,
    deployed,
    view,
    operator,
    files,
    memoryHistory: createReadMemoryHistory(createLateMemoryHistory(settings.bucket), clock),
    metricsPage: options.metricsPage ?? createFleetMetricsPage(instances),
    ...(options.admission === undefined ? {} : { admission: options.admission }),
    observer: measureRequests(metrics),
    log,
    clock,
    version: VERSION,
  });
  return {
    app,
    catalog,
    flush: () => {
      metrics.flush();
      output.flush();
    },
  };
}
