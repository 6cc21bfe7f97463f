import { describe, expect, it } from 'vitest';
import { type WarmProgress, warmModel } from '../../infra/models/warm-model.ts';
import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { FleetTable } from '../../shared/fleet/table/fleet-table.ts';
import { toWish, type Want, wishKey } from '../../shared/fleet/wishes/wish-record.ts';
import { setWish } from '../../shared/fleet/wishes/wish-writer.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const start = 1_700_000_000_000;

/** A fleet whose instances become the next of `views` each time that the clock is waited for. */
function stage(...views: readonly (readonly SeenInstance[])[]) {
  const virtual = new VirtualTable();
  const table: FleetTable = {
    read: (key, done) => done(virtual.read(key)),
    update: (update, done) => done(virtual.apply(update)),
    query: (partition, done) => done(virtual.query(partition)),
  };
  let at = 0;
  let now = start;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      at = Math.min(at + 1, views.length - 1);
    },
  };
  const told: WarmProgress[] = [];
  let wakes = 0;
  const wake = async () => {
    wakes++;
    return true;
  };
  const warm = (timeoutMs = 60_000) =>
    warmModel(
      { table, clock, instances: async () => views[at] ?? [], wake },
      { model: 'm', version: '2', by: 'me', request: 'r', timeoutMs },
      (progress) => told.push(progress),
    );
  const wish = async (want: Want, until?: number) => {
    await setWish({ table, clock }, { model: 'm', want, by: 'other', request: 'before', until });
  };
  return { warm, wish, told, wakes: () => wakes, standing: () => toWish(virtual.read(wishKey('m')).item) };
}

function seen(
  state: ModelStatus['state'],
  {
    seq = 1,
    stale = false,
    version = '2',
    ...more
  }: { seq?: number; stale?: boolean; version?: string } & Partial<ModelStatus> = {},
): SeenInstance {
  const model = modelStatus({ id: 'm', state, ...more, version });
  return { snapshot: snapshotOf({ models: [model], wishes: new Map([['m', seq]]) }), stale };
}

describe('warming a model', () => {
  it('wishes that it be loaded, and waits until every instance that is awake has it', async () => {
    const { warm, told, standing } = stage(
      [],
      [seen('DOWNLOADING', { progress: 0.5 })],
      [seen('READY'), seen('INITIALIZING')],
      [seen('READY'), seen('READY'), seen('UNLOADED', { stale: true, seq: 0 })],
    );

    expect(await warm()).toMatchObject({ ready: 2, instances: 3, woken: true, seq: 1 });

    expect(standing()).toMatchObject({ want: 'loaded', by: 'me' });
    expect(told.map(({ ready, progress }) => [ready, progress])).toEqual([
      [0, 0],
      [0, 0.5],
      [1, 1],
      [2, 1],
    ]);
  });

  it.each([
    ['an instance that has not heard of the wish', [seen('READY', { seq: 0 })]],
    ['another version', [seen('READY', { version: '1' })]],
    ['instances that all sleep', [seen('READY', { stale: true })]],
    ['no instance', []],
  ])('does not take %s for warm', async (_, view) => {
    const { warm } = stage(view);

    await expect(warm(3_000)).rejects.toMatchObject({ code: 'NOT_LOADED_IN_TIME', retryable: true });
  });

  it('wakes the fleet again and again: an event reaches one instance', async () => {
    const { warm, wakes } = stage([seen('UNLOADED')]);

    await expect(warm(20_000)).rejects.toThrow();

    expect(wakes()).toBe(5);
  });

  it('tells why instances could not load it', async () => {
    const error = { code: 'MEMORY', message: 'it does not fit', retryable: false };
    const { warm } = stage([seen('FAILED', { error })]);

    await expect(warm(3_000)).rejects.toThrow(/READY in 0 of 1 instances; the wish stands; MEMORY: it does not fit/);
  });

  it('leaves a pin a pin, unless its time is over', async () => {
    const pinned = stage([seen('READY', { seq: 2 })]);
    await pinned.wish('pinned');
    await pinned.warm();
    expect(pinned.standing()).toMatchObject({ want: 'pinned', seq: 2 });

    const over = stage([seen('READY', { seq: 2 })]);
    await over.wish('pinned', start - 1);
    await over.warm();
    expect(over.standing()).toMatchObject({ want: 'loaded', seq: 2 });
  });
});
