import { randomUUID } from 'node:crypto';
import { Gate } from '../../shared/admission/gate.ts';
import { servesManyAtOnce } from '../../shared/admission/serves-many.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { VERSION } from '../../shared/config/version.ts';
import { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import { awaitNews } from '../../shared/fleet/breaker/fleet-news.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import { guardStores } from '../../shared/fleet/guarded-stores.ts';
import { ApiKeys } from '../../shared/fleet/keys/api-keys.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { FleetLoadPermits } from '../../shared/fleet/permits/fleet-load-permits.ts';
import { measurePermits } from '../../shared/fleet/permits/measured-permits.ts';
import { permitTimes } from '../../shared/fleet/permits/permit-ground.ts';
import { RateLimits } from '../../shared/fleet/rate-limits/rate-limits.ts';
import { createCpuMeter } from '../../shared/fleet/snapshot-cpu.ts';
import { createTakeSnapshot, type TakeSnapshot, thisInstance } from '../../shared/fleet/snapshot-source.ts';
import { afterMs, createSnapshotWriter } from '../../shared/fleet/snapshot-writer.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import { WishKeeper } from '../../shared/fleet/wishes/wish-keeper.ts';
import { systemReadings } from '../../shared/host/awake-clock.ts';
import { createGuardedLoader } from '../../shared/host/guarded-loader.ts';
import { createLoadGuard, loadBreakerSettings } from '../../shared/host/load-guard.ts';
import { measureRuns } from '../../shared/host/measured-loader.ts';
import { createMemorySnapshots, MEMORY_PERIOD_MS } from '../../shared/host/memory-snapshots.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import { createPreload } from '../../shared/host/preload.ts';
import { createProcessMemory } from '../../shared/host/process-memory.ts';
import { repeatByTimer } from '../../shared/host/repeat.ts';
import { ScheduledModelHost } from '../../shared/host/scheduled-model-host.ts';
import { createWorkerModelLoader } from '../../shared/host/worker-model-loader.ts';
import { createAuthenticate } from '../../shared/http/auth/authenticate.ts';
import { createAcceptWork } from '../../shared/http/rate-limit.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { createStandardOutput } from '../../shared/observability/standard-output.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { compileEngine } from '../../shared/runtime/compiled-engine.ts';
import { createApp, type InferenceApp } from './app.ts';
import { createCarryOut } from './carry-out-wishes.ts';
import { createInstruments } from './instruments.ts';
import { actOnNews, createLookAtNews } from './look-at-news.ts';
import { createModelBreakers } from './model-breakers.ts';
import { admissionOf, sampleInstance } from './samples.ts';

const MIB = 1024 * 1024;

export interface Inference {
  readonly app: InferenceApp;
  readonly host: ModelHost;
  readonly catalog: RepositoryCatalog;
  readonly gate: Gate;
  /** When the instance may be called started. */
  readonly started: Promise<unknown>;
  /** What this instance holds at the moment of the call. */
  readonly take: TakeSnapshot;
  /** Loads what is to be there from the start; once, however often it is called. */
  preload(): Promise<void>;
  /** Begins what operators want of this instance, however lately it has looked; never rejects. */
  lookAtNews(): Promise<void>;
  /** The same, without a request to do it in: resolves when that is done. Never rejects. */
  woken(): Promise<void>;
  /** Store calls that go on beside the requests, if any; never rejects. */
  pending(): Promise<void> | undefined;
  /** Workers that are about to end, if any; never rejects. */
  endings(): Promise<void> | undefined;
  /** Sends what was measured. */
  flush(): void;
  close(): Promise<void>;
}

/**
 * The whole inference function, by its environment.
 * @param assets folder of the bundle, with the worker and the engine; ends with a slash
 * @param given in place of lines on standard output, and of what is measured with there
 * @throws SettingsInvalidError
 */
export function composeInference(
  env: NodeJS.ProcessEnv,
  assets: URL,
  given: { readonly log?: Log | undefined; readonly metrics?: Metrics | undefined } = {},
): Inference {
  const settings = readSettings(env, assets);
  // First of all: the engine compiles on threads of its own while the rest starts and the weights arrive.
  const engine = compileEngine(assets, settings.threads);
  const clock = systemClock;
  const output = createStandardOutput(env, 'inference', settings.logLevel);
  const { log = output.log, metrics = output.metrics } = given;
  const instruments = createInstruments(metrics, clock);
  const { modelLoading, circuitBreaker, storeTimeoutMs: timeoutMs, storeFirstTimeoutMs: firstTimeoutMs } = settings;
  const onTransition = (step: BreakerTransition) => {
    const { breaker, from, to, reason, epoch } = step;
    instruments.breakerStepped(step);
    log[to === 'OPEN' ? 'error' : 'info']('breaker.state', { breaker, from, state: to, reason, epoch });
    snapshots.changed();
  };
  const breakerClock = createBreakerClock(clock.now);
  const breakers = new Breakers(breakerClock, onTransition);
  const stores = guardStores(createLateStores(settings), breakers);
  const table = createTableCalls({ store: stores.table, clock, timeoutMs, firstTimeoutMs, log });
  const instance = thisInstance(env, VERSION, clock);
  const fleet = new FleetBreakers({
    instance: instance.id,
    local: breakers,
    table,
    clock: breakerClock,
    random: Math.random,
    newId: randomUUID,
    ttlMs: settings.fleetTtlMs,
    onTransition,
    onWishes: (count) => {
      catalog.announced(count);
      wishes.seen(count);
    },
  });
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
  const isProvisioned = env['AWS_LAMBDA_INITIALIZATION_TYPE'] === 'provisioned-concurrency';
  const loads = createLoadGuard(fleet, loadBreakerSettings(circuitBreaker, modelLoading.loadTimeoutMs));
  const loader = createWorkerModelLoader({
    downloader,
    engine,
    warmUp: isProvisioned ? settings.warmUp.provisioned : settings.warmUp.onDemand,
    ...(settings.numBeams === undefined ? {} : { numBeams: settings.numBeams }),
  });
  const permits = new FleetLoadPermits({
    table,
    clock: systemReadings,
    after: afterMs,
    random: Math.random,
    owner: instance.id,
    permits: modelLoading.loadPermits,
    times: permitTimes,
  });
  const host = new ScheduledModelHost({
    settings: modelLoading,
    loader: measureRuns(createGuardedLoader(loader, loads), instruments.runs),
    memory: createProcessMemory(modelLoading.memoryProtection.limitMb),
    permits: measurePermits(permits, metrics, clock),
    readings: systemReadings,
    random: Math.random,
    log,
    repeat: repeatByTimer,
    onChange(change) {
      instruments.modelChanged(change);
      snapshots.changed();
    },
    onLost: (model) => instruments.workerLost(model),
    onPin: () => snapshots.changed(),
    onThaw: () => stores.renewConnections(),
  });
  const catalog = createFleetCatalog(settings, stores);
  const { carryOut, underWay } = createCarryOut({ host, catalog, log });
  const wishes = new WishKeeper({
    table,
    clock,
    carryOut(model, want, until) {
      snapshots.changed();
      carryOut(model, want, until);
    },
  });
  const lookAtNews = createLookAtNews({ fleet, table });
  const take = createTakeSnapshot({
    instance,
    host,
    breakers: { report: () => fleet.report(), asked: () => breakers.asked() },
    wishes: () => wishes.carriedOut,
    traffic: () => instruments.traffic.report(admissionOf(gate.report())),
    events: () => instruments.events.all(),
    cpuPercent: createCpuMeter(clock),
    clock,
  });
  const snapshots = createSnapshotWriter({
    store: stores.snapshots,
    take,
    clock,
    timeoutMs,
    firstTimeoutMs,
    after: afterMs,
  });
  const memory = createMemorySnapshots({
    report: () => host.report(),
    usage: () => process.memoryUsage(),
    log,
    clock,
  });
  const stopMemory = repeatByTimer(
    () => memory.wake(),
    () => MEMORY_PERIOD_MS,
  );
  metrics.count('coldStarts', { initialization: instance.initialization });
  metrics.onSample(() => sampleInstance(metrics, { host, gate, fleet, table, snapshots, retries: stores.retries }));
  const { keepAliveAllowed } = modelLoading;
  const gate = new Gate({
    settings: settings.admission,
    servesMany: servesManyAtOnce(env),
    numBeams: settings.numBeams,
    clock,
    random: Math.random,
    after: afterMs,
  });
  const sleepers = [fleet, snapshots, memory];
  const keys = new ApiKeys({ table, clock, ttlMs: settings.access.keyTtlMs });
  const app = createApp({
    authenticate: createAuthenticate({ keys, access: settings.access, clock }),
    accept: createAcceptWork({
      limiter: new RateLimits({ table, clock }),
      defaults: settings.callerLimits,
      trustedProxies: settings.access.trustedProxies,
    }),
    observer: instruments.requests,
    host,
    guards: {
      news: () => awaitNews(fleet),
      gate,
      breakerOf: createModelBreakers(fleet, circuitBreaker),
      loads,
      fairRunMs: circuitBreaker.slowCallMs,
    },
    catalog,
    fallbacks: settings.fallbacks,
    limits: settings.limits,
    take,
    keepAliveAllowed,
    sleepers,
    log,
    clock,
    version: VERSION,
  });
  const preload = createPreload({ host, catalog, settings: modelLoading, log });
  return {
    app,
    host,
    catalog,
    gate,
    take,
    // What nobody waits for may take its time; an instance that is frozen after its start should have it all.
    started: isProvisioned
      ? Promise.all([stores.arrived, preload.start().then(() => snapshots.pending())])
      : Promise.resolve(),
    preload: () => preload.start(),
    lookAtNews,
    async woken() {
      for (const sleeper of [host, ...sleepers]) sleeper.wake();
      await actOnNews({ look: lookAtNews, underWay });
      await host.endings();
      // Nobody waits for an answer, so the fleet hears of what was done before this instance is frozen.
      await snapshots.pending();
    },
    pending: () => together(catalog.pending(), table.pending(), snapshots.pending()),
    endings: () => host.endings(),
    flush() {
      metrics.flush();
      output.flush();
    },
    async close() {
      stopMemory();
      await host.close();
      await snapshots.close();
    },
  };
}

function together(...calls: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const out = calls.filter((call) => call !== undefined);
  return out.length === 0 ? undefined : Promise.all(out).then(() => undefined);
}
