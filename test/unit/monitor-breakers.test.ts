import { describe, expect, it } from 'vitest';
import { createCountActive } from '../../functions/monitor/count-active.ts';
import { createMonitor, type MonitorTask } from '../../functions/monitor/monitor.ts';
import { createReleaseExpired } from '../../functions/monitor/release-expired.ts';
import { createRepairAnnouncements } from '../../functions/monitor/repair-announcements.ts';
import { digestKey, readEntry, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { force } from '../../shared/fleet/breaker/digest-steps.ts';
import type { InstanceSnapshot } from '../../shared/fleet/instance-snapshot.ts';
import type { Update } from '../../shared/fleet/table/fleet-table.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import { replaceWish } from '../../shared/fleet/wishes/wish-record.ts';
import { noMetrics } from '../../shared/observability/metrics.ts';
import { createFakeSnapshots, snapshotOf } from '../support/fake-fleet.ts';
import { testNow } from '../support/inference-app.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const breaker = 'translate m@1';
const forced = (until: number) =>
  force(breaker, { kind: 'FORCED_OPEN', by: 'ops', why: 'a drill', until }, { epoch: 0, now: testNow - 5_000 });
const silent = { info: () => {}, warn: () => {}, error: () => {} };

function stage(make: (table: TableStore, clock: { now(): number }) => MonitorTask) {
  const table = new VirtualTable();
  const clock = { now: () => testNow };
  const writes: Update[] = [];
  const store: TableStore = {
    read: async (key) => table.read(key).item,
    query: async (pk) => table.query(pk).items,
    async update(update) {
      writes.push(update);
      return table.apply(update);
    },
  };
  const run = async (...snapshots: readonly InstanceSnapshot[]) => {
    const tasks = [make(store, clock)];
    const [report] = await createMonitor({
      tasks,
      snapshots: createFakeSnapshots(snapshots),
      clock,
      log: silent,
      metrics: noMetrics,
      timeoutMs: 1_000,
    })();
    return report;
  };
  return { table, writes, run, entry: () => readEntry(table.read(digestKey).item, breaker) };
}

describe('the count of active instances', () => {
  const caller = (changes: Partial<InstanceSnapshot> = {}) => snapshotOf({ asked: [breaker], ...changes });

  it('is written into the digest for each breaker, with its time', async () => {
    const { run, entry } = stage(createCountActive);

    const report = await run(caller(), caller({ asked: [breaker, 'load m@1'] }), caller({ asked: [] }));

    expect(report).toMatchObject({ ok: true, did: { instances: 3, breakers: 2 } });
    expect(entry().active).toEqual({ count: 2, at: testNow });
  });

  it('leaves out instances that have been silent for two of their periods', async () => {
    const { run, entry } = stage(createCountActive);

    await run(caller(), caller({ at: testNow - 60_000 }), caller({ at: testNow - 60_001 }));

    expect(entry().active?.count).toBe(2);
  });

  it('is taken out when nobody calls the breaker any more, and then nothing is written', async () => {
    const { run, table, entry, writes } = stage(createCountActive);
    table.apply(forced(testNow));
    await run(caller());

    await run();
    expect(entry()).toMatchObject({ active: undefined, state: { epoch: 1 } });
    await run();

    expect(writes).toHaveLength(2);
  });
});

describe('a breaker that an operator forced', () => {
  it('is released when its time is over', async () => {
    const { run, table, entry } = stage(createReleaseExpired);
    table.apply(forced(testNow));

    expect(await run()).toMatchObject({ ok: true, did: { released: [breaker] } });

    expect(entry().state).toEqual({ kind: 'CLOSED', epoch: 2 });
  });

  it('is left alone before', async () => {
    const { run, table, writes } = stage(createReleaseExpired);
    table.apply(forced(testNow + 1));

    expect(await run()).toMatchObject({ ok: true, did: { released: [] } });

    expect(writes).toEqual([]);
  });

  it('is left alone when somebody has forced it anew meanwhile', async () => {
    const anew = { kind: 'FORCED_CLOSED', by: 'ops', why: 'it is well', until: testNow + 1 } as const;
    const { run, table, entry } = stage((store, clock) => {
      const read: TableStore['read'] = async (key) => {
        const item = await store.read(key);
        await store.update(force(breaker, anew, { epoch: 1, now: testNow }));
        return item;
      };
      return createReleaseExpired({ ...store, read }, clock);
    });
    table.apply(forced(testNow));

    expect(await run()).toMatchObject({ ok: true, did: { released: [] } });

    expect(entry().state).toMatchObject({ kind: 'FORCED_CLOSED', epoch: 2 });
  });
});

describe('a wish that could not be announced', () => {
  const wish = (seq: number) =>
    replaceWish('m', { want: 'loaded', seq, by: 'ops', at: testNow, until: undefined, request: `r${seq}` });
  const repair = (table: TableStore) => createRepairAnnouncements(table);

  it('is announced by the next run, once', async () => {
    const { table, run } = stage(repair);
    table.apply(wish(1));

    expect(await run()).toMatchObject({ ok: true, did: { announced: true } });
    expect(wishCount(table.read(digestKey).item)).toBe(1);
    expect(await run()).toMatchObject({ did: { announced: false } });
    expect(wishCount(table.read(digestKey).item)).toBe(1);
  });

  it('is announced again when another follows', async () => {
    const { table, run } = stage(repair);
    table.apply(wish(1));
    await run();
    table.apply(wish(2));

    expect(await run()).toMatchObject({ did: { announced: true } });
    expect(wishCount(table.read(digestKey).item)).toBe(2);
  });

  it('costs nothing while nobody wishes anything', async () => {
    const { writes, run } = stage(repair);

    expect(await run()).toMatchObject({ did: { announced: false } });
    expect(writes).toEqual([]);
  });

  it('is announced once by two monitors that run at the same time', async () => {
    const { table, run } = stage(repair);
    table.apply(wish(1));

    await Promise.all([run(), run()]);

    expect(wishCount(table.read(digestKey).item)).toBe(1);
  });
});
