import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFleetMemory } from '../../functions/monitor/fleet-memory.ts';
import { createMonitor, type MonitorTask } from '../../functions/monitor/monitor.ts';
import { type Schedule, startSchedule } from '../../infra/local/front/schedule.ts';
import type { InstanceSnapshot } from '../../shared/fleet/instance-snapshot.ts';
import { type FleetMemory, memoryKey, slotOf, sumUpMemory } from '../../shared/fleet/memory/fleet-memory.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { emfLines } from '../support/emf-lines.ts';
import { createFakeSnapshots, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { testNow } from '../support/inference-app.ts';

const timeoutMs = 20_000;

function stage(tasks: readonly MonitorTask[], stored: readonly InstanceSnapshot[] = []) {
  const lines: string[] = [];
  const clock = { now: () => testNow };
  const log = createJsonLog((line) => lines.push(line), clock);
  const snapshots = createFakeSnapshots(stored);
  const { metrics, sent } = emfLines(clock);
  const run = createMonitor({ tasks, snapshots, clock, log, metrics, timeoutMs });
  return { run, snapshots, sent, logged: () => lines.map((line) => JSON.parse(line)) };
}

const task = (name: string, run: MonitorTask['run']): MonitorTask => ({ name, run });
const good = task('good', async () => ({ repaired: 2 }));

describe('a run of the monitor', () => {
  it('does every task, logs what it did, and reports it', async () => {
    const { run, logged } = stage([good, task('idle', async () => ({}))]);

    expect(await run()).toEqual([
      { task: 'good', ok: true, did: { repaired: 2 } },
      { task: 'idle', ok: true, did: {} },
    ]);
    expect(logged()).toMatchObject([
      { level: 'info', event: 'monitor.task', task: 'good', ms: 0, repaired: 2 },
      { level: 'info', event: 'monitor.task', task: 'idle' },
    ]);
  });

  it('sends once, at its end, what it has measured', async () => {
    const bad = task('bad', () => Promise.reject(new TypeError('surprise')));
    const { run, sent } = stage([good, bad]);

    await run();

    expect(sent()).toEqual([
      ['MonitorTasks ok', 1],
      ['MonitorTasks good ok', 1],
      ['MonitorTasks failed', 1],
      ['MonitorTasks bad failed', 1],
    ]);
  });

  it.each([
    [new StoreUnavailableError('the store is away'), 'STORE_UNAVAILABLE', 'the store is away'],
    [new TypeError('surprise'), 'INTERNAL_ERROR', 'surprise'],
  ])('does the others when one fails, and logs why: %s', async (thrown, code, reason) => {
    const { run, logged } = stage([task('bad', () => Promise.reject(thrown)), good]);

    expect(await run()).toMatchObject([
      { task: 'bad', ok: false, code, reason },
      { task: 'good', ok: true },
    ]);
    expect(logged()).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'monitor.task', task: 'bad', code, reason }),
    );
  });

  it('does the others when one fails before it has begun', async () => {
    const bad = task('bad', () => {
      throw new TypeError('surprise');
    });

    expect(await stage([bad, good]).run()).toMatchObject([{ ok: false }, { ok: true }]);
  });

  it('gives up a task that does not come to an end, and tells it so', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let given: AbortSignal | undefined;
    const endless = task('endless', (_, signal) => {
      given = signal;
      return new Promise(() => {});
    });
    const running = stage([endless, good]).run();

    await vi.advanceTimersByTimeAsync(timeoutMs);

    expect(await running).toMatchObject([{ ok: false, code: 'TASK_TIMEOUT' }, { ok: true }]);
    expect(given?.aborted).toBe(true);
    vi.useRealTimers();
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

    await stage([good]).run();

    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('reads the instances once for all tasks, anew in each run, without those that have expired', async () => {
    const seen: string[][] = [];
    const look = task('look', async (instances) => {
      seen.push((await instances()).snapshots.map(({ id }) => id));
      return {};
    });
    const stored = [
      snapshotOf({ id: 'live', expiresAt: testNow + 1 }),
      snapshotOf({ id: 'expired', expiresAt: testNow }),
    ];
    const { run, snapshots } = stage([look, look], stored);

    await run();
    expect(snapshots.calls()).toBe(1);
    await run();

    expect(snapshots.calls()).toBe(2);
    expect(seen).toEqual(Array(4).fill(['live']));
  });

  it('does not read them for tasks that do without', async () => {
    const { run, snapshots } = stage([good]);

    await run();

    expect(snapshots.calls()).toBe(0);
  });
});

describe('the memory of the fleet', () => {
  const memory = (rssMb: number | undefined) => ({
    memory: { protected: true, limitMb: 3_000, budgetMb: 2_000, rssMb, reservedMb: 400 },
  });
  const models = [modelStatus({ id: 'a', memoryMb: 455.4 }), modelStatus({ id: 'b', state: 'WARMING', memoryMb: 100 })];
  const idle = modelStatus({ id: 'c', state: 'UNLOADED', memoryMb: 0 });
  const stored = [
    snapshotOf({ id: 'small', host: memory(undefined), models: [modelStatus({ id: 'a' })] }),
    snapshotOf({ id: 'large', host: memory(1_000.4), models: [...models, idle] }),
  ];
  /** 03:04:05 is in the slot of 03:00. */
  const slot = Date.UTC(2026, 0, 2, 3, 0);

  function memoryStage(written = new Map<number, FleetMemory>(), unreadable = 0) {
    const time = { now: testNow };
    const history = {
      calls: 0,
      write: async (at: number, fleet: FleetMemory) => {
        history.calls += 1;
        if (written.has(at)) return false;
        written.set(at, fleet);
        return true;
      },
    };
    const { metrics, sent } = emfLines({ now: () => time.now });
    const task = createFleetMemory(history, metrics, { now: () => time.now });
    const instances = async () => ({ snapshots: stored, unreadable });
    const run = async () => {
      const did = await task.run(instances, new AbortController().signal);
      metrics.flush();
      return did;
    };
    return { run, time, history, written, sent };
  }

  it('is the sum over live instances and over their models, as far as they can tell', async () => {
    const { run, written, sent } = memoryStage(undefined, 1);

    expect(await run()).toEqual({
      instances: 2,
      unreadable: 1,
      rssMb: 1_000,
      reservedMb: 800,
      limitMb: 6_000,
      written: true,
    });
    expect(written.get(slot)).toMatchObject({
      at: '2026-01-02T03:00:00.000Z',
      taken_at: '2026-01-02T03:04:05.678Z',
      instance_count: 2,
      budget_mb: 4_000,
      models: [
        { model: 'a@1', memory_mb: 910, ready: 2 },
        { model: 'b@1', memory_mb: 100, ready: 0 },
      ],
      instances: [
        { id: 'large', rss_mb: 1_000, models: [{ model: 'a@1', memory_mb: 455 }, { model: 'b@1' }] },
        { id: 'small', rss_mb: 0 },
      ],
    });
    expect(sent()).toContainEqual(['FleetResidentBytes', 1_000 * 1024 * 1024]);
    expect(sent()).toContainEqual(['MemorySnapshots', 1]);
  });

  it('is written once in five minutes, by whichever run is the first, and the others know', async () => {
    const { run, time, history, written } = memoryStage();
    const another = memoryStage(written);

    const did = [await run(), await run(), await another.run(), await another.run()];
    expect(did.map((each) => each['written'])).toEqual([true, false, false, false]);
    expect(history.calls + another.history.calls).toBe(2);

    time.now += 60_000;
    expect((await run())['written']).toBe(true);
    expect([...written.keys()]).toEqual([slot, slot + 300_000]);
  });

  it('is measured though it cannot be written, and written by the next run', async () => {
    const { run, history, sent } = memoryStage();
    const { write } = history;
    history.write = () => Promise.reject(new StoreUnavailableError('the store is away'));

    await expect(run()).rejects.toThrow('the store is away');
    history.write = write;
    expect((await run())['written']).toBe(true);
    expect(sent().filter(([series]) => series === 'MemorySnapshots')).toHaveLength(1);
  });

  it('tells of a hundred instances by themselves, the largest, and of all in its sums', () => {
    const many = Array.from({ length: 150 }, (_, n) => snapshotOf({ id: `i${n}`, host: memory(n) }));
    const { instances, instance_count, limit_mb } = sumUpMemory({ snapshots: many, unreadable: 0 }, testNow);

    expect(instances.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => `i${149 - n}`));
    expect({ instance_count, limit_mb }).toEqual({ instance_count: 150, limit_mb: 450_000 });
  });

  it('lies in the bucket in the order of time', () => {
    expect(memoryKey(slot)).toBe('metrics/memory_20260102_030000.json');
    expect(memoryKey(slot - 1) < memoryKey(slot)).toBe(true);
    expect(slotOf(slot - 1)).toBe(slot - 300_000);
  });
});

describe('a schedule of the local front', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: testNow });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const schedule: Schedule = { function: 'monitor', firstMs: 5_000, everyMs: 60_000 };

  function started() {
    const events: Record<string, unknown>[] = [];
    const notes: unknown[] = [];
    const stop = startSchedule(
      schedule,
      async (event) => {
        events.push({ ...event });
        // Longer than the time between two calls.
        await new Promise((resolve) => setTimeout(resolve, 90_000));
        return { type: 'error' };
      },
      (note) => notes.push(note),
    );
    return { events, notes, stop };
  }

  it('calls first after a while, and then in even steps, however long a call takes', async () => {
    const { events } = started();
    const counts: number[] = [];

    for (const ms of [4_999, 1, 59_999, 1, 60_000]) {
      await vi.advanceTimersByTimeAsync(ms);
      counts.push(events.length);
    }

    expect(counts).toEqual([0, 1, 1, 2, 3]);
  });

  it('sends what EventBridge sends', async () => {
    const { events } = started();
    await vi.advanceTimersByTimeAsync(5_000);

    expect(events[0]).toMatchObject({
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: '2026-01-02T03:04:10Z',
      resources: ['arn:aws:events:eu-central-1:000000000000:rule/monitor'],
      detail: {},
    });
  });

  it('tells what came of each call', async () => {
    const { notes } = started();
    await vi.advanceTimersByTimeAsync(95_000);

    expect(notes).toEqual([{ type: 'scheduled', function: 'monitor', outcome: 'error', ms: 90_000 }]);
  });

  it('calls no more when it is stopped', async () => {
    const { events, stop } = started();
    await vi.advanceTimersByTimeAsync(5_000);

    stop();
    await vi.advanceTimersByTimeAsync(600_000);

    expect(events).toHaveLength(1);
  });
});
