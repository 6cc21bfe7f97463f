import { randomUUID } from 'node:crypto';
import { Gate } from '../../shared/admission/gate.ts';
import { servesManyAtOnce } from '../../shared/admission/serves-many.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { VERSION } from '../../shared/config/version.ts';
import { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import { awaitNews } from '../../shared/fleet/breaker/fleet-news.ts';
import { ApiKeys } from '../../shared/fleet/keys/api-keys.ts';
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
import { createAuthenticate } from '../../shared/http/auth/authenticate.ts';
import { createAcceptWork } from '../../shared/http/rate-limit.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { createStandardOutput } from '../../shared/observability/standard-output.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { SpareWorker } from '../../shared/runtime/spare-worker.ts';
import { createApp, type InferenceApp } from './app.ts';
import type { Beginnings } from './beginnings.ts';
import { createCarryOut } from './carry-out-wishes.ts';
import { composeLoader } from './compose-loader.ts';
import { createInstruments } from './instruments.ts';
import { actOnNews, createLookAtNews } from './look-at-news.ts';
import { createModelBreakers } from './model-breakers.ts';
import { admissionOf, sampleInstance } from './samples.ts';

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
  lookAtNews(): Promise<boolean>;
  /** The same, without a request to do it in: resolves when that is done. Never rejects. */
  woken(signal: AbortSignal): Promise<void>;
  /** Store calls that go on beside the requests, if any; never rejects. */
  pending(): Promise<void> | undefined;
  /** Workers that are about to end, if any; never rejects. */
  endings(): Promise<void> | undefined;
  /** Sends what was measured. */
  flush(): void;
  close(): Promise<void>;
}

/**
 * The whole inference function.
 * @param given in place of lines on standard output, and of what is measured with there
 */
export function composeInference(
  begun: Beginnings,
  given: { readonly log?: Log | undefined; readonly metrics?: Metrics | undefined } = {},
): Inference {
  const { env, settings, breakerClock, breakers, stores, catalog, isProvisioned } = begun;
  // First of all, but not in the start itself, of which it would be half.
  const spare = new SpareWorker(begun.engine);
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
  begun.onTransition(onTransition);
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
  const loads = createLoadGuard(fleet, loadBreakerSettings(circuitBreaker, modelLoading.loadTimeoutMs));
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
    loader: measureRuns(createGuardedLoader(composeLoader(begun, spare), loads), instruments.runs),
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
  const { carryOut, underWay } = createCarryOut({ host, catalog, clock, random: Math.random, log });
  const wishes = new WishKeeper({
    table,
    clock,
    carryOut(model, want, until) {
      snapshots.changed();
      carryOut(model, want, until);
    },
  });
  const lookAtNews = createLookAtNews({ fleet, table, wishes });
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
    async woken(signal) {
      for (const sleeper of [host, ...sleepers]) sleeper.wake();
      await actOnNews({ look: lookAtNews, underWay, pause: (ms) => clock.sleep(ms), signal });
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
      await spare.end();
      await snapshots.close();
    },
  };
}

function together(...calls: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const out = calls.filter((call) => call !== undefined);
  return out.length === 0 ? undefined : Promise.all(out).then(() => undefined);
}
