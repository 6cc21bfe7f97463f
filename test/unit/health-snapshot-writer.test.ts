import { describe, expect, it } from 'vitest';
import type { BreakerReport } from '../../shared/breaker/breaker-state.ts';
import { createSnapshotWriter } from '../../shared/fleet/snapshot-writer.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { createFakeSnapshots, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { testNow } from '../support/inference-app.ts';

const downloading = (progress: number) => modelStatus({ state: 'DOWNLOADING', progress });

/** A writer over a host and a clock that the test moves by hand; a timer goes off when `advance` passes its time. */
function start() {
  const store = createFakeSnapshots();
  let now = testNow;
  let models: readonly ModelStatus[] = [];
  let breakers: readonly BreakerReport[] = [];
  let wishes: ReadonlyMap<string, number> = new Map();
  let looks = 0;
  const budgets: { readonly ms: number; readonly controller: AbortController }[] = [];
  let timer: { readonly at: number; readonly run: () => void } | undefined;
  const writer = createSnapshotWriter({
    store,
    take: () => {
      looks += 1;
      return snapshotOf({ at: now, models, breakers, wishes });
    },
    clock: { now: () => now },
    timeoutMs: 100,
    firstTimeoutMs: 2_000,
    after: (ms, run) => {
      timer = { at: now + ms, run };
      return () => {
        timer = undefined;
      };
    },
    abortedAfter: (ms) => {
      const controller = new AbortController();
      budgets.push({ ms, controller });
      return controller.signal;
    },
  });
  return {
    store,
    writer,
    /** The time that each call was given, in ms. */
    budgets: () => budgets.map(({ ms }) => ms),
    /** The time of the call that is under way is over. */
    giveUp: () => budgets.at(-1)?.controller.abort(),
    looks: () => looks,
    timerIn: () => (timer === undefined ? undefined : timer.at - now),
    /** What the host holds from now on; `changed` is for the test to call. */
    hold(next: readonly ModelStatus[]) {
      models = next;
    },
    /** In which state the only breaker is from now on. */
    become(state: BreakerReport['state'], failures = 0) {
      breakers = [{ name: 'detect a@1', state, since: now, failures }];
    },
    /** The only wish that it has carried out. */
    carryOut(seq: number) {
      wishes = new Map([['a', seq]]);
      writer.changed();
    },
    /** Time passes in which the instance is awake. */
    async advance(ms: number) {
      now += ms;
      const due = timer;
      if (due !== undefined && due.at <= now) {
        timer = undefined;
        due.run();
      }
      await writer.pending();
    },
    /** Time passes without timers, as in a frozen instance. */
    freeze(ms: number) {
      now += ms;
    },
    /** A request comes and goes. */
    async request() {
      writer.wake();
      await writer.pending();
    },
  };
}

const progressOf = ({ store }: ReturnType<typeof start>) =>
  store.written.map(({ report }) => report.models[0]?.progress);

describe('an instance tells of itself', () => {
  it('at its first request', async () => {
    const instance = start();
    await instance.request();
    expect(instance.store.written).toHaveLength(1);
  });

  it('no more with the requests of the next 30 s', async () => {
    const instance = start();
    await instance.request();
    for (let n = 0; n < 29; n++) {
      instance.freeze(1_000);
      await instance.request();
    }
    expect(instance.store.written).toHaveLength(1);
    instance.freeze(1_000);
    await instance.request();
    expect(instance.store.written).toHaveLength(2);
  });

  it('every 30 s without a request, where time goes on', async () => {
    const instance = start();
    await instance.request();
    await instance.advance(30_000);
    await instance.advance(30_000);
    expect(instance.store.written).toHaveLength(3);
  });

  it('at the first request after a freeze of any length', async () => {
    const instance = start();
    await instance.request();
    instance.freeze(3_600_000);
    await instance.request();
    expect(instance.store.written).toHaveLength(2);
  });

  it('at once when a model has another state and nothing loads', async () => {
    const instance = start();
    await instance.request();
    instance.hold([modelStatus()]);
    instance.writer.changed();
    await instance.writer.pending();
    expect(instance.store.written.at(-1)?.report.models).toMatchObject([{ state: 'READY' }]);
  });

  it('once more when the lease that it told of is over: it may be frozen now', async () => {
    const instance = start();
    instance.hold([modelStatus({ leases: 1 })]);
    await instance.request();
    instance.hold([modelStatus({ leases: 0 })]);

    await instance.writer.pending();
    await instance.writer.pending();

    expect(instance.store.written.map(({ report }) => report.models[0]?.leases)).toEqual([1, 0]);
  });

  it('no more for a lease that is taken or given back', async () => {
    const instance = start();
    instance.hold([modelStatus({ leases: 0 })]);
    await instance.request();
    instance.hold([modelStatus({ leases: 1, lastUsedAt: testNow })]);
    instance.freeze(5_000);
    instance.writer.changed();
    expect(instance.writer.pending()).toBeUndefined();
  });

  it('at once when it has carried out a wish, though that changed no model', async () => {
    const instance = start();
    await instance.request();
    await instance.advance(3_000);

    instance.carryOut(1);
    await instance.request();

    expect(instance.store.written.at(-1)?.wishes).toEqual(new Map([['a', 1]]));
  });

  it('at once when a model is pinned that was READY before', async () => {
    const instance = start();
    instance.hold([modelStatus({ stays: false })]);
    await instance.request();
    await instance.advance(3_000);

    instance.hold([modelStatus({ stays: true })]);
    instance.writer.changed();
    await instance.request();

    expect(instance.store.written).toHaveLength(2);
  });

  it('at once when a breaker opens, not with each failure before', async () => {
    const instance = start();
    instance.become('CLOSED');
    await instance.request();
    instance.freeze(3_000);
    instance.become('CLOSED', 4);
    await instance.request();
    expect(instance.store.written).toHaveLength(1);

    instance.become('OPEN', 5);
    instance.writer.changed();
    await instance.request();

    expect(instance.store.written).toHaveLength(2);
  });

  it('every 2 s while something loads, and of its end at once', async () => {
    const instance = start();
    instance.hold([downloading(0.1)]);
    await instance.request();
    for (const progress of [0.2, 0.3, 0.4, 0.5]) {
      instance.hold([downloading(progress)]);
      instance.writer.changed();
      await instance.advance(1_000);
    }
    expect(progressOf(instance)).toEqual([0.1, 0.3, 0.5]);
    instance.hold([modelStatus()]);
    instance.writer.changed();
    await instance.writer.pending();
    expect(progressOf(instance)).toEqual([0.1, 0.3, 0.5, 1]);
  });

  it('of the last of several changes in one step', async () => {
    const instance = start();
    await instance.request();
    instance.hold([modelStatus({ state: 'DRAINING' })]);
    instance.writer.changed();
    instance.hold([modelStatus({ state: 'UNLOADED' })]);
    instance.writer.changed();
    await instance.writer.pending();
    await instance.writer.pending();
    const told = instance.store.written.map(({ report }) => report.models[0]?.state);
    expect(told).toEqual([undefined, 'UNLOADED']);
  });

  it('of a change that comes without a request', async () => {
    const instance = start();
    await instance.request();
    instance.hold([modelStatus()]);
    instance.writer.changed();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(instance.store.written).toHaveLength(2);
  });

  it('no more often for a model that waits for its next try', async () => {
    const instance = start();
    instance.hold([modelStatus({ state: 'QUEUED', nextTryAt: testNow + 60_000 })]);
    await instance.request();
    await instance.advance(29_999);
    expect(instance.store.written).toHaveLength(1);
  });

  it('of what happened while it was writing, when that is done and before an answer goes out', async () => {
    const instance = start();
    instance.writer.wake();
    instance.hold([modelStatus()]);
    instance.writer.changed();
    await instance.writer.pending();
    expect(instance.store.written.map(({ report }) => report.models.length)).toEqual([0, 1]);
    expect(instance.store.mostAtOnce()).toBe(1);
  });

  it('before an answer goes out, of a change that nobody had written yet', async () => {
    const instance = start();
    await instance.request();
    instance.freeze(2_000);
    instance.hold([modelStatus()]);
    await instance.writer.pending();
    expect(instance.store.written).toHaveLength(2);
  });

  it('also when its clock was set back', async () => {
    const instance = start();
    await instance.request();
    instance.freeze(-3_600_000);
    await instance.request();
    expect(instance.store.written).toHaveLength(2);
  });
});

describe('requests in quick succession', () => {
  it('cost no look at the host', async () => {
    const instance = start();
    await instance.request();
    const before = instance.looks();
    for (let n = 0; n < 100; n++) await instance.request();
    expect(instance.looks()).toBe(before);
  });

  it('cost a look in two seconds later on', async () => {
    const instance = start();
    await instance.request();
    const before = instance.looks();
    for (let n = 0; n < 100; n++) {
      instance.freeze(100);
      await instance.request();
    }
    expect(instance.looks() - before).toBe(5);
  });

  it('look again when the write is due that the last look had found too early', async () => {
    const instance = start();
    instance.hold([modelStatus({ state: 'DOWNLOADING', progress: 0.1 })]);
    await instance.request();
    instance.freeze(1_900);
    instance.writer.changed();
    await instance.request();
    expect(instance.store.written).toHaveLength(1);
    instance.freeze(100);
    await instance.request();
    expect(instance.store.written).toHaveLength(2);
  });

  it('do not put off what is due', async () => {
    const instance = start();
    await instance.request();
    await instance.advance(29_000);
    await instance.request();
    await instance.advance(1_000);
    expect(instance.store.written).toHaveLength(2);
  });
});

describe('while the store is away', () => {
  it('nobody who serves is told, and the loss is counted', async () => {
    const instance = start();
    instance.store.become('away');
    await instance.request();
    expect(instance.writer.dropped()).toBe(1);
  });

  it('it is tried after 2 s, 4 s and so on up to 30 s, however many requests come', async () => {
    const instance = start();
    instance.store.become('away');
    const tries: number[] = [];
    for (let seconds = 0; seconds <= 100; seconds++) {
      const before = instance.store.calls();
      instance.hold(seconds % 2 === 0 ? [] : [modelStatus()]);
      instance.writer.changed();
      await instance.request();
      if (instance.store.calls() > before) tries.push(seconds);
      instance.freeze(1_000);
    }
    expect(tries).toEqual([0, 2, 6, 14, 30, 60, 90]);
  });

  it('the next success says what is true then, and all is as before', async () => {
    const instance = start();
    instance.store.become('away');
    await instance.request();
    instance.store.become('there');
    instance.hold([modelStatus()]);
    await instance.advance(2_000);
    expect(instance.store.written).toMatchObject([{ report: { models: [{ state: 'READY' }] } }]);
    expect(instance.timerIn()).toBe(30_000);
  });

  it('one that hangs is given up when its time is over', async () => {
    const instance = start();
    instance.store.become('hanging');
    instance.writer.wake();
    const writing = instance.writer.pending();
    instance.giveUp();
    await writing;
    expect(instance.writer.dropped()).toBe(1);
    instance.store.become('there');
    instance.freeze(2_000);
    await instance.request();
    expect(instance.store.written).toHaveLength(1);
  });
});

describe('a write', () => {
  it('has 100 ms, and more when it has to connect: at first, after a failure, and after a minute of silence', async () => {
    const instance = start();
    instance.store.become('away');
    await instance.request();
    instance.store.become('there');
    await instance.advance(2_000);
    await instance.advance(30_000);
    instance.freeze(60_000);
    await instance.request();
    expect(instance.budgets()).toEqual([2_000, 2_000, 100, 2_000]);
  });
});

describe('an instance that ends', () => {
  it('is taken out, and tells nothing more', async () => {
    const instance = start();
    await instance.request();

    await instance.writer.close();

    expect(instance.store.removed).toEqual(['instance-1']);
    expect(instance.timerIn()).toBeUndefined();
    instance.freeze(3_600_000);
    await instance.request();
    expect(instance.store.written).toHaveLength(1);
  });

  it('waits for the write that is under way, so that it does not come back', async () => {
    const instance = start();
    instance.writer.wake();
    await instance.writer.close();
    expect(instance.store.written).toHaveLength(1);
    expect(instance.store.mostAtOnce()).toBe(1);
  });

  it('without ever having told of itself does not ask the store', async () => {
    const instance = start();
    await instance.writer.close();
    expect(instance.store.calls()).toBe(0);
  });

  it('ends though the store is away', async () => {
    const instance = start();
    await instance.request();
    instance.store.become('away');
    await expect(instance.writer.close()).resolves.toBeUndefined();
  });
});
