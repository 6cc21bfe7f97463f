import { describe, expect, it } from 'vitest';
import { createInstruments } from '../../functions/inference/instruments.ts';
import { admissionOf, sampleInstance } from '../../functions/inference/samples.ts';
import { MOST_EVENTS } from '../../shared/fleet/instance-event.ts';
import { TrafficMeter } from '../../shared/fleet/instance-traffic.ts';
import { measurePermits } from '../../shared/fleet/permits/measured-permits.ts';
import type { LoadPermits } from '../../shared/host/load-permits.ts';
import { measureRuns } from '../../shared/host/measured-loader.ts';
import { createMemorySnapshots, MEMORY_PERIOD_MS } from '../../shared/host/memory-snapshots.ts';
import { changeFields, type ModelChange } from '../../shared/host/model-change.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { emfLines } from '../support/emf-lines.ts';
import { modelStatus, reportOf } from '../support/fake-host.ts';
import { HandPermits } from '../support/hand-permits.ts';
import type { HostChanges } from '../support/host-settings.ts';
import { testNow } from '../support/inference-app.ts';
import { createScriptedHost, settle } from '../support/scripted-host.ts';
import { type ScriptedLoaderOptions, scriptedManifest } from '../support/scripted-loader.ts';

const MIB = 1024 * 1024;
const model = scriptedManifest('model');
const clock = { now: () => testNow };

/** The real host over a scripted loader, with what is measured of it. */
function stage(changes: HostChanges = {}, options: ScriptedLoaderOptions = {}, permits?: LoadPermits) {
  const emf = emfLines(clock);
  const measured = createInstruments(emf.metrics, clock);
  const steps: ModelChange[] = [];
  const instruments = {
    ...measured,
    modelChanged(change: ModelChange) {
      steps.push(change);
      measured.modelChanged(change);
    },
  };
  const scripted = createScriptedHost(changes, options, { instruments, ...(permits === undefined ? {} : { permits }) });
  const lastStep = () => steps.at(-1) as ModelChange;
  const sent = () => {
    emf.metrics.flush();
    return new Map(emf.sent());
  };
  return { ...scripted, instruments, steps, lastStep, sent };
}

describe('a step of a model', () => {
  it('tells how long the state before lasted, what came from S3, and what memory did', async () => {
    const { host, loader, memory, pass, steps } = stage();
    const lease = host.lease(model);
    await settle();
    pass(500);
    loader.last.observer.onDownloaded({ bytesDone: 70, bytesResumed: 20, bytesTotal: 100 });
    loader.last.observer.onInitializing();
    memory.baseMb += 30;
    pass(250);
    loader.last.observer.onWarming();
    loader.last.succeed();
    (await lease).release();

    const told = steps.map(({ from, to, tookMs }) => [from, to, tookMs]);
    expect(told).toEqual([
      ['UNLOADED', 'QUEUED', undefined],
      ['QUEUED', 'DOWNLOADING', 0],
      ['DOWNLOADING', 'INITIALIZING', 500],
      ['INITIALIZING', 'WARMING', 250],
      ['WARMING', 'READY', 0],
    ]);
    expect(steps[2]).toMatchObject({ model: 'model@1.0.0', bytes: 70, bytesResumed: 20 });
    const { memoryBefore, memoryAfter } = steps[3] as ModelChange;
    expect((memoryAfter.rssMb ?? 0) - (memoryBefore?.rssMb ?? 0)).toBe(30);
    expect(memoryAfter.reservedMb).toBe(model.memory.peakMb);
  });

  it('leaves out the time in which the instance was frozen', async () => {
    const { host, loader, repeated, pauses, lastStep } = stage();
    void host.lease(model).catch(() => {});
    await settle();
    host.rest();
    pauses(600_000);
    host.wake();
    repeated.run();
    loader.last.observer.onInitializing();
    expect(lastStep()).toMatchObject({ from: 'DOWNLOADING', tookMs: 0 });
  });

  it('is a line of the log in whole numbers', () => {
    const change: ModelChange = {
      model: 'a@1',
      from: 'DOWNLOADING',
      to: 'QUEUED',
      tookMs: 12.6,
      bytes: 7,
      bytesResumed: 0,
      memoryBefore: undefined,
      memoryAfter: { rssMb: 100.4, reservedMb: 0 },
      code: 'STORE_UNAVAILABLE',
      cause: undefined,
      reason: 'S3 is away',
    };
    expect(changeFields(change)).toEqual({
      model: 'a@1',
      from: 'DOWNLOADING',
      state: 'QUEUED',
      ms: 13,
      bytes: 7,
      rssMb: 100,
      reservedMb: 0,
      code: 'STORE_UNAVAILABLE',
      reason: 'S3 is away',
    });
  });
});

describe('what is measured of models', () => {
  async function ready(changes: HostChanges = {}, options: ScriptedLoaderOptions = {}) {
    const staged = stage(changes, options);
    const lease = staged.host.lease(model);
    await settle();
    staged.loader.last.observer.onDownloaded({ bytesDone: 70, bytesResumed: 20, bytesTotal: 100 });
    staged.loader.last.observer.onInitializing();
    staged.loader.last.observer.onWarming();
    staged.loader.last.succeed();
    (await lease).release();
    return staged;
  }

  it('is a load with its phases, its bytes and its end', async () => {
    const { sent, instruments } = await ready();
    expect(sent()).toEqual(
      new Map<string, number>([
        ['LoadSeconds queue', 0],
        ['LoadSeconds download', 0],
        ['LoadSeconds initialize', 0],
        ['LoadSeconds warm', 0],
        ['DownloadedBytes model@1.0.0', 50],
        ['ModelLoads ready', 1],
        ['ModelLoads model@1.0.0 ready', 1],
      ]),
    );
    expect(instruments.traffic.report()).toMatchObject({ loads: 1, evictions: 0 });
  });

  it('is an attempt that is tried again, then one that failed for good', async () => {
    const { host, loader, pass, sent, steps } = stage();
    host.lease(model).catch(() => {});
    await settle();
    loader.last.fail(new StoreUnavailableError('S3 is away'));
    await settle();
    pass(60_000);
    await settle();
    loader.last.fail(new FileCorruptError('it has another sha256'));
    await settle();

    const measured = sent();
    expect(measured.get('ModelLoads retried')).toBe(1);
    expect(measured.get('ModelLoads failed')).toBe(1);
    expect(measured.get('ModelFailures model@1.0.0 load')).toBe(1);
    expect(steps.filter(({ code }) => code !== undefined).map(({ to, code }) => [to, code])).toEqual([
      ['QUEUED', 'STORE_UNAVAILABLE'],
      ['FAILED', 'FILE_CORRUPT'],
    ]);
  });

  it('is a model that failed without an attempt, since it can never fit', async () => {
    const { host, sent } = stage();
    const huge = scriptedManifest('huge', '1.0.0', { peakMb: 10_000, residentMb: 10_000 });
    await expect(host.lease(huge)).rejects.toMatchObject({ code: 'CANNOT_FIT' });
    expect([...sent().keys()].filter((series) => series.startsWith('Model'))).toEqual([
      'ModelFailures',
      'ModelFailures huge@1.0.0 load',
    ]);
  });

  it('is a load that was given up', async () => {
    const { host, sent } = stage();
    host.lease(model).catch(() => {});
    await settle();
    void host.unload('model@1.0.0');
    await settle();
    expect(sent().get('ModelLoads cancelled')).toBe(1);
  });

  it('is a thread that died', async () => {
    const { loader, sent } = await ready();
    loader.last.observer.onCrash(new WorkerCrashedError('out of memory'));
    expect(sent().get('ModelFailures')).toBe(1);
    expect(sent().get('ModelUnloads')).toBeUndefined();
  });

  it('is a thread that does not end', async () => {
    const { host, pass, sent } = await ready({}, { onEnd: () => new Promise<void>(() => {}) });
    void host.unload('model@1.0.0');
    await settle();
    pass(11_000);
    expect(sent().get('ModelFailures model@1.0.0 lost')).toBe(1);
  });

  it('is a download that lost its permit, which is no failure, though an attempt before it was', async () => {
    const permits = new HandPermits();
    const { host, loader, pass, sent, lastStep } = stage({}, {}, permits);
    host.lease(model).catch(() => {});
    permits.grant('model');
    await settle();
    loader.last.fail(new StoreUnavailableError('S3 is away'));
    await settle();
    pass(60_000);
    permits.grant('model');
    permits.lose('model');

    expect(lastStep()).toMatchObject({ from: 'DOWNLOADING', to: 'QUEUED', code: undefined });
    expect(sent().get('ModelLoads put_back')).toBe(1);
  });

  it('is why a model went; going to make room is an eviction', async () => {
    const { sent, instruments, pass, lastStep } = await ready({ idleUnloadMs: 60_000, sweepIntervalMs: 1_000 });
    pass(62_000);
    await settle();
    expect(sent().get('ModelUnloads idle')).toBe(1);
    expect(lastStep().to).toBe('UNLOADED');
    expect(instruments.traffic.report().evictions).toBe(0);

    const another = await ready({ minimumResidencyMs: 0 });
    void another.host.lease(scriptedManifest('other', '1.0.0', { peakMb: 799, residentMb: 799 })).catch(() => {});
    await settle();
    expect(another.sent().get('ModelUnloads room')).toBe(1);
    expect(another.instruments.traffic.report().evictions).toBe(1);
  });

  it('is kept as the last events, the newest first, steps of breakers among them', async () => {
    const { instruments, sent } = await ready();
    instruments.breakerStepped({ breaker: 'translate a@1', from: 'CLOSED', to: 'OPEN', reason: 'five failures' });

    const events = instruments.events.all();
    expect(events.slice(0, 2)).toEqual([
      { kind: 'breaker', at: testNow, breaker: 'translate a@1', from: 'CLOSED', to: 'OPEN' },
      { kind: 'model', at: testNow, model: 'model@1.0.0', from: 'WARMING', to: 'READY', tookMs: 0, code: undefined },
    ]);
    expect(sent().get('BreakerTransitions OPEN')).toBe(1);

    for (let step = 0; step < 20; step++) {
      instruments.breakerStepped({ breaker: `b${step}`, from: 'OPEN', to: 'HALF_OPEN', reason: '' });
    }
    expect(instruments.events.all()).toHaveLength(MOST_EVENTS);
    expect(instruments.events.all()[0]).toMatchObject({ breaker: 'b19' });
  });
});

describe('what is measured of requests and runs', () => {
  it('is how many, how long, and with which failure', () => {
    const { instruments, sent } = stage();
    const { requests, runs, traffic } = instruments;
    requests.began();
    requests.began();
    requests.began();
    requests.ended({ route: '/detect', status: 200, ms: 5, code: undefined });
    requests.ended({ route: '/translate', status: 503, ms: 250, code: 'MODEL_LOADING' });
    runs.ran('a@1', 40);
    runs.translated('a@1', { sourceTokens: 5, targetTokens: 7 });

    expect(sent()).toEqual(
      new Map<string, number>([
        ['Requests /detect 2xx', 1],
        ['RequestSeconds /detect 2xx', 0.005],
        ['Requests /translate 5xx', 1],
        ['RequestSeconds /translate 5xx', 0.25],
        ['Failures MODEL_LOADING', 1],
        ['ServiceSeconds a@1', 0.04],
        ['SourceTokens a@1', 5],
        ['TargetTokens a@1', 7],
      ]),
    );
    expect(traffic.report({ shed: 3, queueDelayMs: 12 })).toEqual({
      requests: 2,
      failures: 1,
      shed: 3,
      inFlight: 1,
      queueDelayMs: 12,
      serviceMs: { p50: 40, p90: 40 },
      tokens: 7,
      loads: 0,
      evictions: 0,
    });
  });

  it('is what runs have taken lately, and not what they took before', () => {
    const traffic = new TrafficMeter();
    expect(traffic.report().serviceMs).toBeUndefined();
    for (let run = 0; run < 300; run++) traffic.ran(1_000);
    for (let run = 1; run <= 128; run++) traffic.ran(run);
    expect(traffic.report().serviceMs).toEqual({ p50: 65, p90: 116 });
  });

  it('is a run of a loaded worker and of its batches, each batch once and each caller by itself', async () => {
    const { loader } = stage();
    const told: string[] = [];
    const measured = measureRuns(loader, {
      ran: (key, ms) => told.push(`${key} ran ${ms}`),
      translated: (key, { targetTokens }) => told.push(`${key} translated ${targetTokens}`),
    });
    const usage = { sourceTokens: 1, targetTokens: 2, steps: 3 };
    const output = { task: 'translation', translations: [], usage } as const;
    const loading = measured.load(model, { ...noObserver }, new AbortController().signal);
    const scripted = loader.last.succeed();
    await (await loading).run({ task: 'language-detection', texts: [''] });
    expect(told.splice(0)).toEqual(['model@1.0.0 ran 1']);
    scripted.run = async () => ({ output, computeMs: 4 }) as never;
    const worker = await loading;
    const input = { task: 'translation', texts: [], source: 'en', target: 'es', numBeams: 1 } as const;

    await worker.run(input);
    expect(told.splice(0)).toEqual(['model@1.0.0 ran 4', 'model@1.0.0 translated 2']);
    const batch = worker.runBatch([{ input }, { input }]);
    await Promise.all(batch.results);
    expect(await batch.ended).toBe(1);
    expect(told.toSorted()).toEqual(['model@1.0.0 ran 1', ...Array(2).fill('model@1.0.0 translated 2')]);
  });
});

const noObserver = { onDownloaded: () => {}, onInitializing: () => {}, onWarming: () => {}, onCrash: () => {} };

describe('what is measured of load permits', () => {
  it('is how long one was waited for, and how many are held and sought at present', () => {
    const time = { now: 0 };
    const emf = emfLines({ now: () => testNow + time.now });
    const seekers: { granted(grant: 'permit' | 'store away'): void; lost(): void }[] = [];
    const inner = {
      wake: () => {},
      seek: (_: string, seeker: (typeof seekers)[number]) => {
        seekers.push(seeker);
        return { release: () => {} };
      },
    };
    const permits = measurePermits(inner, emf.metrics, { now: () => time.now });
    const told: string[] = [];
    const seeker = { granted: (grant: string) => void told.push(grant), lost: () => void told.push('lost') };
    const [first, , third] = ['a', 'b', 'c', 'd'].map((name) => permits.seek(name, seeker));
    time.now = 1_500;
    seekers[0]?.granted('permit');
    seekers[1]?.granted('permit');
    seekers[1]?.lost();
    seekers[3]?.granted('store away');
    third?.release();
    third?.release();
    emf.metrics.flush();

    expect(told).toEqual(['permit', 'permit', 'lost', 'store away']);
    const sent = new Map(emf.sent());
    expect(sent.get('PermitsHeld')).toBe(1);
    expect(sent.get('PermitsSought')).toBe(0);
    expect(sent.get('LoadSeconds permit')).toEqual([1.5, 1.5, 1.5]);
    expect(sent.get('PermitGrants store away')).toBe(1);
    first?.release();
    first?.release();
    time.now += 60_000;
    emf.metrics.flush();
    expect(new Map(emf.sent()).get('PermitsHeld')).toBe(0);
  });
});

describe('what is read at present', () => {
  it('is what the host, the breakers, the table and the gate say', () => {
    const { metrics, sent } = emfLines(clock);
    const loading = { queue: { size: 2, limit: 8, loading: ['b@1'] } };
    const models = [
      modelStatus({ id: 'a', leases: 2, heapMb: 64 }),
      modelStatus({ id: 'b', state: 'WARMING', memoryMb: 9 }),
    ];
    const admission = {
      enabled: true,
      inFlight: 1,
      limit: 2,
      waiting: 3,
      workAheadMs: 0,
      admitted: 10,
      completed: 8,
      missed: 1,
      shed: { deadline: 1, early: 2, queue: 0, displaced: 0 },
      queueDelayMs: { p50: 20, p90: 30 },
      serviceMs: undefined,
      estimateError: undefined,
      batches: 1,
      batchedRequests: 4,
    };
    const counts = { reads: 7, writes: 3, unavailable: 4, refused: 1, mishandled: 1, byName: new Map() };
    metrics.onSample(() =>
      sampleInstance(metrics, {
        host: { report: () => reportOf(models, loading) },
        gate: { report: () => admission },
        fleet: { report: () => [{ name: 'S3', state: 'OPEN', since: 0, failures: 5 }] },
        table: { counts: () => counts },
        snapshots: { dropped: () => 6 },
        retries: {
          s3: { report: () => ({ calls: 9, retries: 2, refused: 1 }) },
          dynamo: { report: () => ({ calls: 9, retries: 4, refused: 3 }) },
        },
      }),
    );
    expect(admissionOf(admission)).toEqual({ shed: 3, queueDelayMs: 20 });
    metrics.flush();

    const read = new Map(sent());
    for (const own of ['ResidentBytes', 'HeapBytes', 'ExternalBytes']) {
      expect(read.get(own)).toBeGreaterThan(MIB);
      read.delete(own);
    }
    expect(read).toEqual(
      new Map<string, number>([
        ['ModelsReady', 1],
        ['ModelsLoading', 1],
        ['LoadQueue', 2],
        ['Leases', 2],
        ['ModelMemoryBytes a@1', 455 * MIB],
        ['WasmHeapBytes a@1', 64 * MIB],
        ['ModelMemoryBytes b@1', 9 * MIB],
        ['ReservedBytes', 455 * MIB],
        ['BudgetBytes', 2611 * MIB],
        ['StoreCalls answered', 5],
        ['StoreCalls unavailable', 3],
        ['StoreCalls failed', 2],
        ['Sheds deadline', 1],
        ['Sheds early', 2],
        ['Admitted', 10],
        ['DeadlineMisses', 1],
        ['BatchedRequests', 4],
        ['AdmissionInFlight', 1],
        ['AdmissionWaiting', 3],
        ['QueueDelaySeconds', 0.02],
        ['SnapshotsDropped', 6],
        ['StoreRetries s3 made', 2],
        ['StoreRetries s3 refused', 1],
        ['StoreRetries dynamo made', 4],
        ['StoreRetries dynamo refused', 3],
      ]),
    );
  });
});

describe('a line about memory', () => {
  function taking() {
    const time = { now: testNow };
    const lines: Record<string, unknown>[] = [];
    const snapshots = createMemorySnapshots({
      report: () => reportOf([modelStatus({ id: 'a' }), modelStatus({ id: 'b', state: 'UNLOADED', memoryMb: 0 })]),
      usage: () => ({ rss: 900 * MIB, heapUsed: 50 * MIB, external: 3 * MIB }),
      log: { info: (event, fields) => void lines.push({ event, ...fields }) },
      clock: { now: () => time.now },
    });
    return { time, lines, snapshots };
  }

  it('tells of the process, of the budget, and of each model that has memory', () => {
    const { lines, snapshots } = taking();
    snapshots.wake();
    expect(lines).toEqual([
      {
        event: 'memory.snapshot',
        rssMb: 900,
        heapMb: 50,
        externalMb: 3,
        limitMb: 3072,
        budgetMb: 2611,
        reservedMb: 455,
        models: ['a@1 READY 455 MB'],
      },
    ]);
  });

  it('comes every five minutes by the wall clock, however long the instance was frozen, also when the clock was set back', () => {
    const { time, lines, snapshots } = taking();
    const counts = [0, MEMORY_PERIOD_MS - 1, 1, 10 * MEMORY_PERIOD_MS, 1, -60_000].map((ms) => {
      time.now += ms;
      snapshots.wake();
      return lines.length;
    });
    expect(counts).toEqual([1, 1, 2, 3, 3, 4]);
  });
});
