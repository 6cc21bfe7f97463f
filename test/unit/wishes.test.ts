import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { digestKey, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import { WishKeeper } from '../../shared/fleet/wishes/wish-keeper.ts';
import { replaceWish, toWish, wishKey } from '../../shared/fleet/wishes/wish-record.ts';
import { type NewWish, setWish } from '../../shared/fleet/wishes/wish-writer.ts';
import { StoreUnavailableError, VersionConflictError } from '../../shared/repository/errors.ts';
import { type Fate, UnreliableTable } from '../support/unreliable-table.ts';

const now = 1_700_000_000_000;
const clock = { now: () => now };

const wishFor = (model: string, changes: Partial<NewWish> = {}): NewWish => ({
  model,
  want: 'loaded',
  by: 'operator',
  request: `${model}-${changes.want ?? 'loaded'}`,
  ...changes,
});

/** A table whose calls become what the test says one after the other, and answers after that. */
function stage(...fates: readonly Fate[]) {
  const table = new UnreliableTable();
  const left = [...fates];
  const settle = async () => {
    await setImmediate();
    while (table.outstanding > 0) {
      table.settle(0, left.shift() ?? 'answered');
      await setImmediate();
    }
  };
  const wish = async (wanted: NewWish) => {
    const result = setWish({ table, clock }, wanted);
    result.catch(() => undefined);
    await settle();
    return result;
  };
  return {
    table,
    settle,
    wish,
    register: (model: string) => toWish(table.virtual.read(wishKey(model)).item),
    announcements: () => wishCount(table.virtual.read(digestKey).item),
  };
}

describe("an operator's wish", () => {
  it('is written with who, when, until when and why it can be told again, and announced', async () => {
    const { wish, register, announcements } = stage();

    const first = await wish(wishFor('m', { until: now + 60_000 }));

    expect(first).toEqual({
      record: { want: 'loaded', seq: 1, by: 'operator', at: now, until: now + 60_000, request: 'm-loaded' },
      announced: true,
    });
    expect(register('m')).toEqual(first.record);
    expect(announcements()).toBe(1);
  });

  it('takes the place of the one before it, with its time', async () => {
    const { wish, register, announcements } = stage();
    await wish(wishFor('m', { until: now + 60_000 }));

    await wish(wishFor('m', { want: 'unloaded' }));

    expect(register('m')).toMatchObject({ want: 'unloaded', seq: 2, until: undefined });
    expect(announcements()).toBe(2);
  });

  it('goes over one that it cannot understand', async () => {
    const { table, wish } = stage();
    table.virtual.apply({
      name: 'LATER VERSION',
      key: wishKey('m'),
      condition: undefined,
      changes: [set(['seq'], 7), set(['want'], 'quantised')],
    });
    expect((await wish(wishFor('m'))).record.seq).toBe(8);
  });

  it('is recognised when the answer to it was lost, and not made twice', async () => {
    const { wish, register } = stage('answered', 'answer lost');
    const { record } = await wish(wishFor('m'));
    expect(record.seq).toBe(1);
    expect(register('m')?.seq).toBe(1);
  });

  it('is recognised also by the refusal of its repetition', async () => {
    // The late one arrives between the second reading and the second writing.
    const { table, wish } = stage('answered', 'late');
    const read = table.read.bind(table);
    table.read = (key, done) =>
      read(key, (answer) => {
        done(answer);
        table.deliverLate();
      });
    expect((await wish(wishFor('m'))).record.seq).toBe(1);
  });

  it('says that it may not be known of when it could not be announced', async () => {
    const { wish, announcements } = stage('answered', 'answered', 'request lost');
    expect(await wish(wishFor('m'))).toMatchObject({ record: { seq: 1 }, announced: false });
    expect(announcements()).toBe(0);
  });

  it('fails when the store does not answer', async () => {
    const { wish, register } = stage(...Array.from({ length: 20 }, () => 'request lost' as const));
    await expect(wish(wishFor('m'))).rejects.toThrow(StoreUnavailableError);
    expect(register('m')).toBeUndefined();
  });

  it('fails as one that may stand when the store answers readings alone', async () => {
    const { wish } = stage(
      ...Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'answered' : 'request lost') as Fate),
    );
    await expect(wish(wishFor('m'))).rejects.toThrow(StoreUnavailableError);
  });

  it('fails when others are faster every time, and then does not stand', async () => {
    const { table, wish, register } = stage();
    const update = table.update.bind(table);
    let others = 0;
    table.update = (wanted, done) => {
      others += 1;
      const changes = [set(['seq'], others), set(['want'], 'pinned'), set(['request'], `other-${others}`)];
      table.virtual.apply({ name: 'OTHER', key: wishKey('m'), condition: undefined, changes });
      update(wanted, done);
    };
    await expect(wish(wishFor('m'))).rejects.toThrow(VersionConflictError);
    expect(register('m')?.want).toBe('pinned');
  });
});

describe('an instance', () => {
  /** An instance that reads wishes over the table of a stage. */
  function instance(table: UnreliableTable, wallClock = clock) {
    const done: (readonly [model: string, want: string | undefined, until: number | undefined])[] = [];
    const keeper = new WishKeeper({
      table,
      clock: wallClock,
      carryOut: (model, want, until) => void done.push([model, want, until]),
    });
    return { keeper, done };
  }

  it('carries out at its first look what was wished before it was there', async () => {
    const { table, wish, settle } = stage();
    await wish(wishFor('a'));
    await wish(wishFor('b', { want: 'pinned', until: now + 1 }));
    const { keeper, done } = instance(table);

    keeper.seen(2);
    await settle();

    expect(done).toEqual([
      ['a', 'loaded', undefined],
      ['b', 'pinned', now + 1],
    ]);
    expect(keeper.carriedOut).toEqual(
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    );
  });

  it('looks at its first look also when nothing was ever announced: that may have been lost', async () => {
    const { table, wish, settle } = stage('answered', 'answered', 'request lost');
    await wish(wishFor('a'));
    const { keeper, done } = instance(table);
    keeper.seen(0);
    await settle();
    expect(done).toHaveLength(1);
  });

  it('asks for nothing while nothing is announced', async () => {
    const { table, settle } = stage();
    const { keeper } = instance(table);
    keeper.seen(3);
    await settle();

    keeper.seen(3);

    expect(table.outstanding).toBe(0);
  });

  it('carries out only the latest of many, once, and nothing of other models again', async () => {
    const { table, wish, settle } = stage();
    await wish(wishFor('other'));
    const { keeper, done } = instance(table);
    keeper.seen(1);
    await settle();
    for (const want of ['loaded', 'pinned', 'unloaded'] as const) await wish(wishFor('m', { want }));

    keeper.seen(4);
    await settle();

    expect(done.slice(1)).toEqual([['m', 'unloaded', undefined]]);
    expect(keeper.carriedOut.get('m')).toBe(3);
  });

  it('asks once at a time, and again for what was announced meanwhile', async () => {
    const { table, settle } = stage();
    const { keeper, done } = instance(table);
    keeper.seen(0);
    keeper.seen(1);
    keeper.seen(2);
    expect(table.outstanding).toBe(1);
    table.settle(0, 'answered');
    expect(table.outstanding).toBe(1);
    const wish = { want: 'loaded', seq: 1, by: 'operator', at: now, until: undefined, request: 'r' } as const;
    table.virtual.apply(replaceWish('m', wish));

    await settle();

    expect(done).toEqual([['m', 'loaded', undefined]]);
  });

  it('tries again with the next look when the store does not answer, and not before', async () => {
    const { table, wish, settle } = stage('answered', 'answered', 'answered', 'request lost');
    await wish(wishFor('m'));
    const { keeper, done } = instance(table);
    expect(keeper.isUpToDate).toBe(false);
    keeper.seen(1);
    await settle();
    expect(done).toEqual([]);
    expect(keeper.isUpToDate).toBe(false);

    keeper.seen(1);
    await settle();

    expect(done).toHaveLength(1);
    expect(keeper.isUpToDate).toBe(true);
  });

  it('leaves alone a wish whose time is over, and one that it cannot understand', async () => {
    const { table, wish, settle } = stage();
    await wish(wishFor('over', { until: now }));
    const later = [set(['seq'], 1), set(['want'], 'quantised')];
    table.virtual.apply({ name: 'LATER VERSION', key: wishKey('new'), condition: undefined, changes: later });
    const { keeper, done } = instance(table);

    keeper.seen(1);
    await settle();

    expect(done).toEqual([]);
    expect(keeper.carriedOut).toEqual(new Map());
  });

  it('gives up what it carried out when another wish took its place while it was frozen, and is over, too', async () => {
    const { table, wish, settle } = stage();
    const { keeper, done } = instance(table);
    await wish(wishFor('m', { want: 'pinned' }));
    keeper.seen(1);
    await settle();
    await wish(wishFor('m', { want: 'unloaded', until: now }));

    keeper.seen(2);
    await settle();

    expect(done).toEqual([
      ['m', 'pinned', undefined],
      ['m', undefined, undefined],
    ]);
    expect(keeper.carriedOut.get('m')).toBe(2);
  });
});
