import { describe, expect, it } from 'vitest';
import { LIVE_MS } from '../../shared/fleet/instance-snapshot.ts';
import { createSnapshotReader } from '../../shared/fleet/snapshot-reader.ts';
import { createFakeSnapshots, snapshotOf } from '../support/fake-fleet.ts';
import { testNow } from '../support/inference-app.ts';

function start(stored = [snapshotOf()], timeoutMs = 60_000) {
  const store = createFakeSnapshots(stored);
  let now = testNow;
  const read = createSnapshotReader({ store, clock: { now: () => now }, timeoutMs });
  return {
    store,
    read,
    advance: (ms: number) => {
      now += ms;
    },
  };
}

describe('the instances that are seen', () => {
  it('are all that are live', async () => {
    const { read } = start([snapshotOf({ id: 'a' }), snapshotOf({ id: 'b' })]);
    expect(await read()).toMatchObject({
      instances: [
        { snapshot: { id: 'a' }, stale: false },
        { snapshot: { id: 'b' }, stale: false },
      ],
      reasons: [],
    });
  });

  it('are stale when they said nothing for more than two periods', async () => {
    const { read } = start([
      snapshotOf({ id: 'lately', at: testNow - 60_000 }),
      snapshotOf({ id: 'silent', at: testNow - 60_001 }),
    ]);
    expect((await read()).instances.map(({ snapshot, stale }) => [snapshot.id, stale])).toEqual([
      ['lately', false],
      ['silent', true],
    ]);
  });

  it('are gone when their own time is over, though the table still has them', async () => {
    const { read } = start([
      snapshotOf({ id: 'gone', at: testNow - LIVE_MS }),
      snapshotOf({ id: 'live', at: testNow - LIVE_MS + 1 }),
    ]);
    expect((await read()).instances.map(({ snapshot }) => snapshot.id)).toEqual(['live']);
  });

  it('are told with those that cannot be understood', async () => {
    const readAll = async () => ({ snapshots: [], unreadable: 2 });
    const clock = { now: () => testNow };
    const read = createSnapshotReader({ store: { readAll }, clock, timeoutMs: 60_000 });
    expect(await read()).toEqual({
      instances: [],
      reasons: ['2 instances of another version cannot be understood'],
    });
  });
});

describe('the store', () => {
  it('is asked once by many at a time, and once a second at most', async () => {
    const { store, read, advance } = start();
    await Promise.all([read(), read(), read()]);
    advance(999);
    await read();
    expect(store.calls()).toBe(1);
    advance(1);
    await read();
    expect(store.calls()).toBe(2);
  });

  it('is asked again when the clock was set back', async () => {
    const { store, read, advance } = start();
    await read();
    advance(-3_600_000);
    await read();
    expect(store.calls()).toBe(2);
  });

  it('may be away: then what was known last is told, less what has expired since, and why', async () => {
    const { store, read, advance } = start([
      snapshotOf({ id: 'expires', at: testNow - LIVE_MS + 5_000 }),
      snapshotOf({ id: 'goes stale' }),
    ]);
    await read();
    store.become('away');
    advance(61_000);
    expect(await read()).toMatchObject({
      instances: [{ snapshot: { id: 'goes stale' }, stale: true }],
      reasons: ['the snapshots of the instances cannot be read: the store is away'],
    });
  });

  it('is not pressed while it is away', async () => {
    const { store, read, advance } = start();
    store.become('away');
    await read();
    advance(999);
    await read();
    expect(store.calls()).toBe(1);
  });

  it('may be away from the first: then there is nothing but the reason', async () => {
    const { store, read } = start();
    store.become('away');
    expect(await read()).toEqual({
      instances: [],
      reasons: ['the snapshots of the instances cannot be read: the store is away'],
    });
  });

  it('may come back, and nothing is left of it', async () => {
    const { store, read, advance } = start();
    store.become('away');
    await read();
    store.become('there');
    advance(1_000);
    expect(await read()).toMatchObject({ instances: [{ stale: false }], reasons: [] });
  });

  it('that hangs is given up', async () => {
    const { store, read } = start([], 1);
    store.become('hanging');
    expect((await read()).reasons).toEqual([
      'the snapshots of the instances cannot be read: the store did not answer in time',
    ]);
  });
});
