import { describe, expect, it } from 'vitest';
import type { ControlDeps } from '../../functions/control/app.ts';
import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import type { BreakerReport, BreakerState } from '../../shared/breaker/breaker-state.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import type { Item } from '../../shared/fleet/table/fleet-table.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { ManifestInvalidError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createTestControl } from '../support/control-app.ts';
import { createFakeCatalog, shippedManifests, translationManifest } from '../support/fake-catalog.ts';
import { emptyDigest, fleetOf, noInstances, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { read, testNow } from '../support/inference-app.ts';

const timestamp = '2026-01-02T03:04:05.678Z';
const oneModel = createFakeCatalog([translationManifest('translate-en-es', 'en>es')]);
const failed = modelStatus({
  state: 'FAILED',
  progress: 0,
  error: { code: 'FILE_CORRUPT', message: 'decoder.onnx has another sha256', retryable: false },
});

async function ask(
  path: '/health/detailed' | '/health/models',
  fleet: FleetView,
  {
    catalog = oneModel,
    preloadModels = [],
    digest = emptyDigest,
  }: { catalog?: Catalog; preloadModels?: readonly string[]; digest?: ControlDeps['digest'] } = {},
) {
  const { app } = createTestControl({ catalog, fleet, digest, preloadModels });
  return read(await app.request(path));
}

const detailed = async (fleet: FleetView, options: Parameters<typeof ask>[2] = {}) =>
  (await ask('/health/detailed', fleet, options)).body;

describe('GET /health/detailed', () => {
  it('has the fields of the hardening plan, and each instance below them', async () => {
    const model = modelStatus({
      startedAt: testNow - 60_000,
      readyAt: testNow - 30_000,
      lastUsedAt: testNow - 1_000,
      leases: 1,
      stays: true,
      memoryMb: 454.8,
    });

    const { status, body } = await ask('/health/detailed', fleetOf(snapshotOf({ models: [model] })));

    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'healthy',
      timestamp,
      uptime: 3600,
      models: [
        {
          name: 'translate-en-es',
          status: 'READY',
          loading_progress: 1,
          ready: true,
          version: '1',
          states: { READY: 1 },
        },
      ],
      model_queue: { size: 0, currently_loading: [] },
      system: {
        memory_total: '3.0 GB',
        memory_available: '2.0 GB',
        memory_used: '1.0 GB',
        memory_percent: 33.3,
        cpu_usage: 50,
      },
      breakers: [],
      admission: null,
      loads: [],
      events: [],
      instance_count: 1,
      instances: [
        {
          id: 'instance-1',
          stale: false,
          seen_at: timestamp,
          started_at: '2026-01-02T02:04:05.678Z',
          uptime: 3600,
          initialization: 'on-demand',
          version: '1.2.3',
          strategy: 'lazy',
          cpu_usage: 50,
          memory: { protected: true, limit_mb: 3072, budget_mb: 2611, used_mb: 1024, reserved_mb: 455 },
          model_queue: { size: 0, limit: 8, currently_loading: [] },
          models: [
            {
              name: 'translate-en-es',
              version: '1',
              state: 'READY',
              loading_progress: 1,
              bytes_loaded: 209_715_200,
              bytes_total: 209_715_200,
              seconds_left: null,
              leases: 1,
              waiting: 0,
              waits_for_permit: false,
              memory_mb: 455,
              attempts: 1,
              stays: true,
              started_at: '2026-01-02T03:03:05.678Z',
              ready_at: '2026-01-02T03:03:35.678Z',
              last_used_at: '2026-01-02T03:04:04.678Z',
              next_try_at: null,
              error: null,
            },
          ],
          models_left_out: 0,
          breakers: [],
          wishes: {},
          traffic: null,
        },
      ],
      reasons: [],
    });
  });

  it("begins with the plan's own fields, in the plan's order", async () => {
    const body = await detailed(fleetOf(snapshotOf({ models: [modelStatus()] })));

    const { models, model_queue: queue, system } = body as Record<string, Record<string, unknown>>;
    expect(Object.keys(body).slice(0, 6)).toEqual(['status', 'timestamp', 'uptime', 'models', 'model_queue', 'system']);
    expect(Object.keys(models?.['0'] ?? {}).slice(0, 4)).toEqual(['name', 'status', 'loading_progress', 'ready']);
    expect(Object.keys(queue ?? {})).toEqual(['size', 'currently_loading']);
    // No `gpu`: no engine here has one.
    expect(Object.keys(system ?? {})).toEqual([
      'memory_total',
      'memory_available',
      'memory_used',
      'memory_percent',
      'cpu_usage',
    ]);
  });

  it('tells of the loads that are under way, the furthest first', async () => {
    const loading = (progress: number) =>
      modelStatus({
        state: 'DOWNLOADING',
        progress,
        bytesLoaded: progress * 100,
        bytesTotal: 100,
        secondsLeft: 7,
        startedAt: testNow,
      });
    const fleet = fleetOf(
      snapshotOf({ id: 'a', models: [loading(0.25), modelStatus({ id: 'ready' })] }),
      snapshotOf({ id: 'b', models: [loading(0.5), modelStatus({ id: 'failed', state: 'FAILED' })] }),
    );

    const { loads } = await detailed(fleet);

    const common = { model: 'translate-en-es', version: '1', phase: 'DOWNLOADING', bytes_total: 100, seconds_left: 7 };
    const rest = { waits_for_permit: false, started_at: timestamp, stale: false };
    expect(loads).toEqual([
      { instance: 'b', ...common, progress: 0.5, bytes_loaded: 50, ...rest },
      { instance: 'a', ...common, progress: 0.25, bytes_loaded: 25, ...rest },
    ]);
  });

  it('sums up what the gates of admission count, and shows the worst that they measure', async () => {
    const traffic = {
      requests: 10,
      failures: 1,
      shed: 2,
      inFlight: 1,
      queueDelayMs: 5,
      tokens: 100,
      loads: 1,
      evictions: 0,
    };
    const fleet = fleetOf(
      snapshotOf({ id: 'a', traffic: { ...traffic, serviceMs: { p50: 6, p90: 40 } } }),
      snapshotOf({ id: 'b', traffic: { ...traffic, queueDelayMs: 9, serviceMs: { p50: 7, p90: 30 } } }),
      snapshotOf({ id: 'c', traffic: { ...traffic, serviceMs: undefined } }),
      snapshotOf({ id: 'tells nothing' }),
    );

    const { admission, instances } = await detailed(fleet);

    expect(admission).toMatchObject({ requests: 30, failures: 3, shed: 6, in_flight: 3, queue_delay_ms: 9 });
    expect(admission).toMatchObject({ service_ms: { p50: 7, p90: 40 }, waiting: null, estimate_error: null });
    expect(instances).toMatchObject([
      { traffic: { requests: 10, service_ms: { p50: 6, p90: 40 }, tokens: 100 } },
      {},
      { traffic: { service_ms: null } },
      { traffic: null },
    ]);
  });

  it('tells no more loads and events than an answer can hold', async () => {
    const loading = modelStatus({ state: 'DOWNLOADING', progress: 0.5 });
    const event = { kind: 'breaker', at: testNow, breaker: 'S3', from: 'CLOSED', to: 'OPEN' } as const;
    const many = Array.from({ length: 101 }, (_, n) =>
      snapshotOf({ id: `instance-${n}`, models: [loading], events: [event] }),
    );
    const { loads, events } = await detailed(fleetOf(...many));
    expect([loads, events]).toMatchObject([{ length: 100 }, { length: 50 }]);
  });

  it('tells more of admission where this process has the gate itself', async () => {
    const traffic = {
      requests: 1,
      failures: 0,
      shed: 4,
      inFlight: 1,
      queueDelayMs: 5,
      tokens: 1,
      loads: 1,
      evictions: 0,
    };
    const admission = (): AdmissionReport => ({
      enabled: true,
      inFlight: 1,
      limit: 2,
      waiting: 3,
      workAheadMs: 40,
      admitted: 9,
      completed: 8,
      missed: 1,
      shed: { deadline: 1, early: 2, queue: 0, displaced: 1 },
      queueDelayMs: undefined,
      serviceMs: undefined,
      estimateError: 0.1,
      batches: 0,
      batchedRequests: 0,
    });
    const fleet = fleetOf(snapshotOf({ traffic: { ...traffic, serviceMs: undefined } }));
    const { app } = createTestControl({ fleet, admission });

    const { body } = await read(await app.request('/health/detailed'));

    expect(body['admission']).toMatchObject({
      shed: 4,
      limit: 2,
      waiting: 3,
      work_ahead_ms: 40,
      missed: 1,
      shed_by_reason: { deadline: 1, early: 2, queue: 0, displaced: 1 },
      estimate_error: 0.1,
    });
  });

  it('tells what happened last on all instances, the newest first', async () => {
    const fleet = fleetOf(
      snapshotOf({
        id: 'a',
        events: [
          { kind: 'breaker', at: testNow - 1_000, breaker: 'S3', from: 'CLOSED', to: 'OPEN' },
          {
            kind: 'model',
            at: testNow - 3_000,
            model: 'm@1',
            from: 'DOWNLOADING',
            to: 'FAILED',
            tookMs: 12,
            code: 'FILE_CORRUPT',
          },
        ],
      }),
      snapshotOf({
        id: 'b',
        events: [
          {
            kind: 'model',
            at: testNow - 2_000,
            model: 'm@1',
            from: 'UNLOADED',
            to: 'QUEUED',
            tookMs: undefined,
            code: undefined,
          },
        ],
      }),
    );

    const { events } = await detailed(fleet);

    expect(events).toEqual([
      { instance: 'a', at: '2026-01-02T03:04:04.678Z', kind: 'breaker', breaker: 'S3', from: 'CLOSED', to: 'OPEN' },
      {
        instance: 'b',
        at: '2026-01-02T03:04:03.678Z',
        kind: 'model',
        model: 'm@1',
        from: 'UNLOADED',
        to: 'QUEUED',
        took_ms: null,
        code: null,
      },
      {
        instance: 'a',
        at: '2026-01-02T03:04:02.678Z',
        kind: 'model',
        model: 'm@1',
        from: 'DOWNLOADING',
        to: 'FAILED',
        took_ms: 12,
        code: 'FILE_CORRUPT',
      },
    ]);
  });

  it('tells in which state each breaker is on how many instances, and all of it on each', async () => {
    const breaker = (state: BreakerState, more: Partial<BreakerReport> = {}): BreakerReport => ({
      name: 'translate translate-en-es@1',
      state,
      since: testNow - 60_000,
      failures: 5,
      ...more,
    });
    const fleet = fleetOf(
      snapshotOf({ id: 'a', breakers: [breaker('OPEN', { nextProbeAt: testNow + 240_000 })] }),
      snapshotOf({ id: 'b', breakers: [breaker('OPEN')] }),
      snapshotOf({ id: 'c', breakers: [breaker('CLOSED', { failures: 1 })] }),
    );

    const body = await detailed(fleet);

    expect(body).toMatchObject({
      status: 'degraded',
      breakers: [{ name: 'translate translate-en-es@1', states: { OPEN: 2, CLOSED: 1 } }],
      reasons: ['the circuit breaker of translate translate-en-es@1 is OPEN on 2 instances'],
    });
    const [first] = body['instances'] as { breakers: unknown }[];
    expect(first?.breakers).toEqual([
      {
        name: 'translate translate-en-es@1',
        state: 'OPEN',
        since: '2026-01-02T03:03:05.678Z',
        failures: 5,
        next_probe_at: '2026-01-02T03:08:05.678Z',
        epoch: null,
        fleet_wide: false,
      },
    ]);
  });

  describe('of a breaker that the fleet shares', () => {
    const name = 'translate translate-en-es@1';
    const inDigest = async (item: Item) =>
      detailed(noInstances, { digest: async () => ({ known: item, failure: undefined }) });
    const seconds = (count: number) => testNow + count * 1_000;

    it('tells that it is open for all, since when, and when it may be probed', async () => {
      const body = await inDigest({
        [`e_${name}`]: 3,
        [`k_${name}`]: { n: 2, at: seconds(-60) },
        [`b_${name}`]: { st: 'OPEN', om: 600_000, at: seconds(-60), pn: 0, ps: 0 },
        [`active_${name}`]: { n: 40, at: seconds(-30) },
      });

      expect(body).toMatchObject({
        status: 'degraded',
        breakers: [
          {
            name,
            states: {},
            fleet: {
              state: 'OPEN',
              epoch: 3,
              since: '2026-01-02T03:03:05.678Z',
              next_probe_at: '2026-01-02T03:13:05.678Z',
              probe: null,
              forced: null,
              openings: 2,
              active_instances: 40,
            },
          },
        ],
      });
      expect(body['reasons']).toContain(`the circuit breaker of ${name} is OPEN for the whole fleet`);
    });

    it('tells who probes it', async () => {
      const body = await inDigest({
        [`e_${name}`]: 1,
        [`b_${name}`]: { st: 'HALF', om: 1, at: seconds(-1), pn: 1, ps: 0, pr: 'x', po: 'instance-7', pl: 60_000 },
      });

      expect(body['breakers']).toMatchObject([
        { fleet: { state: 'HALF_OPEN', probe: { owner: 'instance-7', since: expect.any(String), lease_seconds: 60 } } },
      ]);
    });

    it('tells who forced it, why and until when, and no more when that is over', async () => {
      const forced = (until: number) => ({
        [`e_${name}`]: 1,
        [`b_${name}`]: { st: 'FORCED_OPEN', at: seconds(-1), by: 'ops', why: 'wrong answers', until },
      });

      const body = await inDigest(forced(seconds(60)));
      expect(body).toMatchObject({ breakers: [{ fleet: { forced: { by: 'ops', why: 'wrong answers' } } }] });
      expect(body['reasons']).toContain(
        `the circuit breaker of ${name} is forced OPEN by ops until 2026-01-02T03:05:05.678Z: wrong answers`,
      );
      expect((await inDigest(forced(seconds(-1))))['status']).toBe('healthy');
    });

    it('says so when it cannot be read', async () => {
      const body = await detailed(noInstances, { digest: async () => ({ known: undefined, failure: 'away' }) });

      expect(body['status']).toBe('degraded');
      expect(body['reasons']).toContain("the fleet's breakers cannot be read: away");
    });
  });

  it('has every model of the catalog, also those that no instance has touched', async () => {
    const body = await detailed(noInstances, { catalog: createFakeCatalog(shippedManifests) });
    const untouched = { status: 'UNLOADED', loading_progress: 0, ready: false, states: {} };
    expect(body).toMatchObject({
      status: 'healthy',
      uptime: 0,
      models: [
        { name: 'language-detection', ...untouched },
        { name: 'translate-en-es', ...untouched },
        { name: 'translate-es-en', ...untouched },
      ],
      system: { memory_total: '0.0 GB', memory_percent: 0, cpu_usage: 0 },
      instances: [],
      reasons: ['no instance has told of itself lately: the next request starts or wakes one'],
    });
  });

  it('has models that instances still hold though the catalog has them no more', async () => {
    const body = await detailed(fleetOf(snapshotOf({ models: [modelStatus({ id: 'retired' })] })));
    expect(body['models']).toMatchObject([
      { name: 'retired', ready: true, version: null },
      { name: 'translate-en-es', ready: false, version: '1' },
    ]);
  });

  it('sums up a fleet: the furthest load, counts per state, the oldest start, all memory', async () => {
    const loading = (progress: number) => modelStatus({ state: 'DOWNLOADING', progress });
    const queue = { size: 1, limit: 8, loading: ['translate-en-es@1'] };
    const fleet = fleetOf(
      snapshotOf({ id: 'a', models: [loading(0.25)], host: { queue }, startedAt: testNow - 90_000 }),
      snapshotOf({ id: 'b', models: [loading(0.75)], host: { queue }, startedAt: testNow - 120_400 }),
      snapshotOf({ id: 'c', models: [modelStatus({ state: 'QUEUED', progress: 0 })], startedAt: testNow }),
    );

    expect(await detailed(fleet)).toMatchObject({
      uptime: 120,
      models: [
        {
          status: 'DOWNLOADING',
          loading_progress: 0.75,
          ready: false,
          states: { DOWNLOADING: 2, QUEUED: 1 },
        },
      ],
      model_queue: { size: 2, currently_loading: ['translate-en-es@1'] },
      system: { memory_total: '9.0 GB', memory_used: '3.0 GB', memory_percent: 33.3, cpu_usage: 150 },
      instance_count: 3,
    });
  });

  it('calls a model ready when one version of it is, on one instance', async () => {
    const old = snapshotOf({ id: 'a', models: [modelStatus({ version: '0' })] });
    const next = snapshotOf({ id: 'b', models: [modelStatus({ state: 'WARMING', progress: 0.9 })] });
    expect((await detailed(fleetOf(next, old)))['models']).toMatchObject([
      { status: 'READY', ready: true, states: { READY: 1, WARMING: 1 } },
    ]);
  });

  it('counts an idle instance as live, but not its processor', async () => {
    const idle = { snapshot: snapshotOf({ at: testNow - 90_000, models: [modelStatus()] }), stale: true };
    const body = await detailed({ instances: [idle], reasons: [] });
    expect(body).toMatchObject({
      status: 'healthy',
      models: [{ ready: true }],
      system: { memory_used: '1.0 GB', cpu_usage: 0 },
      instances: [{ stale: true, seen_at: '2026-01-02T03:02:35.678Z' }],
      reasons: ['1 of 1 instances said nothing for a minute: idle, or gone'],
    });
  });

  it('says that memory is unknown where no instance can read it', async () => {
    const memory = { protected: true, limitMb: undefined, budgetMb: undefined, rssMb: undefined, reservedMb: 0 };
    const body = await detailed(fleetOf(snapshotOf({ host: { memory } })));
    expect(body).toMatchObject({
      status: 'degraded',
      system: { memory_total: null, memory_available: null, memory_used: null, memory_percent: null },
      instances: [{ memory: { limit_mb: null, used_mb: null } }],
      reasons: ['instance instance-1 cannot read its memory and loads nothing'],
    });
  });

  it('does not mind where memory is not protected', async () => {
    const memory = { protected: false, limitMb: undefined, budgetMb: undefined, rssMb: undefined, reservedMb: 0 };
    expect(await detailed(fleetOf(snapshotOf({ host: { memory } })))).toMatchObject({ status: 'healthy', reasons: [] });
  });

  it('says how many unloaded models an instance had no room to tell of', async () => {
    const body = await detailed(fleetOf(snapshotOf({ leftOut: 3 })));
    expect(body).toMatchObject({
      status: 'healthy',
      instances: [{ models_left_out: 3 }],
      reasons: ['instance instance-1 leaves out 3 of its unloaded models'],
    });
  });

  it('lists the hundred instances heard of last, and counts all', async () => {
    const many = Array.from({ length: 150 }, (_, n) => snapshotOf({ id: `i-${n}`, at: testNow - 1000 * (150 - n) }));
    const body = await detailed(fleetOf(...many));
    expect(body['instance_count']).toBe(150);
    expect(body['instances']).toHaveLength(100);
    expect(body['instances']).toMatchObject({ 0: { id: 'i-149' } });
  });
});

describe('the status', () => {
  it.each<[string, FleetView, Parameters<typeof ask>[2], string]>([
    [
      'a model has FAILED on an instance, though another serves it',
      fleetOf(snapshotOf({ id: 'a', models: [modelStatus()] }), snapshotOf({ id: 'b', models: [failed] })),
      {},
      'model translate-en-es@1 FAILED: FILE_CORRUPT, decoder.onnx has another sha256',
    ],
    [
      'a manifest cannot be read',
      noInstances,
      { catalog: createFakeCatalog(shippedManifests, { m: new ManifestInvalidError('the manifest is not JSON') }) },
      'model m: the manifest is not JSON',
    ],
    [
      'a model to be preloaded is not READY where instances live',
      fleetOf(snapshotOf({})),
      { preloadModels: ['translate-en-es'] },
      'model translate-en-es, which is to be preloaded, is not READY on any instance: UNLOADED, 0 %',
    ],
    [
      'the instances cannot be asked for',
      { instances: [], reasons: ['the snapshots of the instances cannot be read: the store is away'] },
      {},
      'the snapshots of the instances cannot be read: the store is away',
    ],
    [
      'a load queue is full',
      fleetOf(snapshotOf({ host: { queue: { size: 8, limit: 8, loading: [] } } })),
      {},
      'the load queue of instance instance-1 is full',
    ],
  ])('is degraded when %s', async (_, fleet, options, reason) => {
    const body = await detailed(fleet, options);
    expect(body['status']).toBe('degraded');
    expect(body['reasons']).toContain(reason);
  });

  const away: Catalog = {
    ...createFakeCatalog([]),
    models: () => Promise.reject(new StoreUnavailableError('the store did not answer in time')),
  };
  const unreadable = 'the catalog of models cannot be read: the store did not answer in time';

  it.each<[string, FleetView, Catalog, string]>([
    ['nothing is published', noInstances, createFakeCatalog([]), 'no model is published'],
    ['the catalog cannot be read', noInstances, away, unreadable],
    [
      'every model has FAILED wherever it is',
      fleetOf(snapshotOf({ id: 'a', models: [failed] }), snapshotOf({ id: 'b', models: [failed] })),
      oneModel,
      'model translate-en-es@1 FAILED: FILE_CORRUPT, decoder.onnx has another sha256 (on 2 instances)',
    ],
    [
      'every model of the catalog has FAILED, whatever lies idle besides',
      fleetOf(snapshotOf({ models: [failed, modelStatus({ id: 'retired', state: 'UNLOADED' })] })),
      oneModel,
      'model translate-en-es@1 FAILED: FILE_CORRUPT, decoder.onnx has another sha256',
    ],
  ])('is unhealthy when %s; the answer is 200, since probes ask elsewhere', async (_, fleet, catalog, reason) => {
    const { status, body } = await ask('/health/detailed', fleet, { catalog });
    expect(status).toBe(200);
    expect(body['status']).toBe('unhealthy');
    expect(body['reasons']).toContain(reason);
  });

  it('is degraded only when the catalog cannot be read and an instance serves all the same', async () => {
    const body = await detailed(fleetOf(snapshotOf({ models: [modelStatus()] })), { catalog: away });
    expect(body).toMatchObject({ status: 'degraded', reasons: [unreadable] });
  });
});

describe('GET /health/models', () => {
  it('lists the same models, each with the instances that hold it', async () => {
    const retrying = modelStatus({
      state: 'QUEUED',
      progress: 0,
      bytesLoaded: 1_000,
      waiting: 2,
      waitsForPermit: true,
      attempts: 3,
      secondsLeft: 12,
      nextTryAt: testNow + 5_000,
      error: { code: 'STORE_UNAVAILABLE', message: 'S3 is away', retryable: true },
    });
    const fleet = fleetOf(
      snapshotOf({ id: 'a', models: [modelStatus()] }),
      snapshotOf({ id: 'b', models: [retrying] }),
    );

    const { status, body } = await ask('/health/models', fleet);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'healthy',
      timestamp,
      models: [
        {
          name: 'translate-en-es',
          status: 'READY',
          loading_progress: 1,
          ready: true,
          version: '1',
          states: { READY: 1, QUEUED: 1 },
          instances: [
            { instance: 'a', stale: false, state: 'READY' },
            {
              instance: 'b',
              state: 'QUEUED',
              bytes_loaded: 1_000,
              waiting: 2,
              waits_for_permit: true,
              attempts: 3,
              seconds_left: 12,
              next_try_at: '2026-01-02T03:04:10.678Z',
              error: { code: 'STORE_UNAVAILABLE', message: 'S3 is away', retryable: true },
            },
          ],
        },
      ],
      reasons: [],
    });
  });
});
