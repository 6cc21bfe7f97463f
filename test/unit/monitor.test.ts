import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fleetMemory } from '../../functions/monitor/fleet-memory.ts';
import { createMonitor, type MonitorTask } from '../../functions/monitor/monitor.ts';
import { type Schedule, startSchedule } from '../../infra/local/front/schedule.ts';
import type { InstanceSnapshot } from '../../shared/fleet/instance-snapshot.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createFakeSnapshots, snapshotOf } from '../support/fake-fleet.ts';
import { testNow } from '../support/inference-app.ts';

const timeoutMs = 20_000;

function stage(tasks: readonly MonitorTask[], stored: readonly InstanceSnapshot[] = []) {
  const lines: string[] = [];
  const clock = { now: () => testNow };
  const log = createJsonLog((line) => lines.push(line), clock);
  const snapshots = createFakeSnapshots(stored);
  const run = createMonitor({ tasks, snapshots, clock, log, timeoutMs });
  return { run, snapshots, logged: () => lines.map((line) => JSON.parse(line)) };
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

  it('is the sum over live instances, as far as they can tell', async () => {
    const stored = [snapshotOf({ id: 'a', host: memory(1_000.4) }), snapshotOf({ id: 'b', host: memory(undefined) })];

    const [report] = await stage([fleetMemory], stored).run();

    expect(report).toEqual({
      task: 'fleet-memory',
      ok: true,
      did: { instances: 2, unreadable: 0, rssMb: 1_000, reservedMb: 800, limitMb: 6_000 },
    });
  });

  it('is not known while the store is away', async () => {
    const { run, snapshots } = stage([fleetMemory, good]);
    snapshots.become('away');

    expect(await run()).toMatchObject([{ task: 'fleet-memory', ok: false }, { ok: true }]);
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
