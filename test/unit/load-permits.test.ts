import { describe, expect, test } from 'vitest';
import { permitKey, readPermits } from '../../shared/fleet/permits/permit-record.ts';
import { acquire, release, renew } from '../../shared/fleet/permits/permit-steps.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import { MODEL, PermitWorld, type Seeking } from '../support/permit-world.ts';
import { VirtualTable } from '../support/virtual-table.ts';

/** A world of one instance. */
function alone(permits = 1) {
  const world = new PermitWorld(permits);
  return { world, one: world.add() };
}

/** Instances that begin to seek together, and differ by what chance gives them. */
function together(permits: number, instances: number) {
  const world = new PermitWorld(permits);
  const seekings = Array.from({ length: instances }, (_, index) => {
    const instance = world.add();
    instance.chance = () => index / instances;
    return instance.seek();
  });
  return { world, seekings };
}

/** One instance that holds the only permit, and a second. */
function withHolder() {
  const { world, one: holder } = alone();
  const held = holder.seek();
  world.pass(20);
  return { world, holder, held, second: world.add() };
}

/** As an operator does. */
function setPermits(table: VirtualTable, n: number) {
  table.apply({ name: 'SET', key: permitKey(MODEL), condition: undefined, changes: [set(['n'], n)] });
}

/** What is so after a freeze, step by step: that the permit is lost, and that the instance is woken. */
function watchOrder(world: PermitWorld, held: Seeking): readonly string[] {
  const order: string[] = [];
  world.afterEach = () => {
    const so = [held.instance.isAwake ? 'woken' : '', held.told.includes('lost') ? 'lost' : '']
      .filter(Boolean)
      .join(' and ');
    if (so !== '' && order.at(-1) !== so) order.push(so);
  };
  return order;
}

const told = (...seekings: { readonly told: readonly string[] }[]) => seekings.map((each) => each.told.join(' '));

describe('a permit that is sought', () => {
  test('is granted after one read and one write when a place is free', () => {
    const { world, one } = alone(2);
    const seeking = one.seek();
    world.pass(20);

    expect(seeking.told).toEqual(['permit']);
    expect(one.calls).toEqual(['read', 'ACQUIRE']);
    expect(world.table.read(permitKey(MODEL)).item).toEqual({
      f: 1,
      s0: { o: 'i0', r: '1', l: 30_000, q: 0, fence: 1 },
    });
  });

  test('is one of as many as there are: the others wait, with reads alone, and get those that are given back', () => {
    const { world, seekings } = together(2, 3);
    world.pass(5_000);
    expect(told(...seekings).toSorted()).toEqual(['', 'permit', 'permit']);
    const waiting = seekings.find((each) => each.told.length === 0);
    const callsBefore = waiting?.instance.calls.length;

    world.pass(10_000);
    expect(new Set(waiting?.instance.calls.slice(callsBefore))).toEqual(new Set(['read']));
    seekings.find((each) => each.isHeld)?.release();
    world.pass(6_000);
    expect(waiting?.told).toEqual(['permit']);
  });

  test('is looked for again after a random time when another was quicker, longer each time', () => {
    const world = new PermitWorld(2);
    const [, second] = [world.add(), world.add()];
    for (const each of world.instances) each.seek();
    world.pass(20);
    expect(second.calls).toEqual(['read', 'ACQUIRE']);
    world.pass(99);
    expect(second.calls).toHaveLength(2);
    world.pass(11);

    expect(second.calls).toEqual(['read', 'ACQUIRE', 'read', 'ACQUIRE']);
  });

  test('is not written for when nobody wants it any more', () => {
    const { world, one } = alone();
    one.seek().release();
    world.pass(60_000);

    expect(one.calls).toEqual(['read']);
  });

  test('is looked for about every second at first, and every four seconds in the end', () => {
    const { world, second } = withHolder();
    second.seek();
    world.pass(1_000);
    expect(second.calls).toEqual(['read']);
    world.pass(100);
    expect(second.calls).toHaveLength(2);
    world.pass(9_000);
    expect(second.calls.length).toBeLessThanOrEqual(6);
  });

  test('follows the number that an operator has set, whatever the configuration says', () => {
    const { world, seekings } = together(1, 2);
    setPermits(world.table, 2);
    world.pass(1_000);
    expect(told(...seekings)).toEqual(['permit', 'permit']);

    setPermits(world.table, 0);
    for (const each of seekings) each.release();
    const later = world.add().seek();
    world.pass(60_000);
    expect(later.told).toEqual([]);
  });
});

describe('an ACQUIRE whose answer is lost', () => {
  test.each(['answer lost', 'lost'] as const)('is looked for before anything else: %s', (kind) => {
    const { world, one } = alone();
    one.fates.push({ kind: 'answered' }, { kind });
    const seeking = one.seek();
    world.pass(2_000);

    expect(seeking.told).toEqual(['permit']);
    expect(one.calls.slice(0, 3)).toEqual(['read', 'ACQUIRE', 'consistent read']);
    expect(world.record.fence).toBe(1);
  });

  test('is recognised when its repetition is refused by its own success', () => {
    const { world, one } = alone();
    // It comes to the store after the look for it, and before its repetition.
    one.fates.push({ kind: 'answered' }, { kind: 'late', ms: 611 });
    const seeking = one.seek();
    world.pass(700);

    expect(seeking.told).toEqual(['permit']);
    expect(one.calls).toEqual(['read', 'ACQUIRE', 'consistent read', 'ACQUIRE']);
    expect(world.record).toMatchObject({ fence: 1 });

    // It counts from when the first was sent, 10 ms after the beginning.
    one.isCutOff = true;
    world.pass(24_010 - 700);
    expect(seeking.told).toEqual(['permit']);
    world.pass(1);
    expect(seeking.told).toEqual(['permit', 'lost']);
  });

  test('is over when another has got a permit meanwhile: the next is another', () => {
    const { world, holder, held, second } = withHolder();
    held.release();
    world.pass(20);
    second.fates.push({ kind: 'answered' }, { kind: 'lost' });
    const seeking = second.seek();
    world.pass(20);
    holder.seek();
    world.pass(6_000);

    expect(second.calls.slice(0, 4)).toEqual(['read', 'ACQUIRE', 'consistent read', 'read']);
    expect(seeking.told).toEqual([]);
  });

  test('counts from when it was first sent: one that shows only when it is old is given back, and another is got', () => {
    const { world, one } = alone();
    one.fates.push({ kind: 'answered' }, { kind: 'answer lost' });
    const seeking = one.seek();
    world.pass(20);
    one.freeze(25_000, { stopsMonotonic: true });
    world.pass(27_000);

    expect(seeking.told).toEqual(['permit']);
    expect(one.calls).toEqual(['read', 'ACQUIRE', 'consistent read', 'RELEASE', 'read', 'ACQUIRE']);
    expect(world.record.fence).toBe(2);
  });

  test.each([20, 150])(
    'leaks no place when nobody wants it any more after %i ms: it is looked for, and given back',
    (ms) => {
      const { world, one } = alone();
      one.fates.push({ kind: 'answered' }, { kind: 'late', ms: 3_000 });
      const seeking = one.seek();
      world.pass(ms);
      seeking.release();
      world.pass(10_000);

      expect([world.owners, one.calls.at(-1), seeking.told]).toEqual([['-'], 'RELEASE', []]);
    },
  );

  test('is looked for no longer than others would have to wait for it', () => {
    const { world, one } = alone();
    one.fates.push({ kind: 'answered' }, { kind: 'lost' });
    const seeking = one.seek();
    world.pass(20);
    seeking.release();
    world.pass(40_000);
    const calls = one.calls.length;
    world.pass(600_000);

    expect(one.calls).toHaveLength(calls ?? 0);
  });

  test('is given back when it succeeds after its seeker has gone', () => {
    const { world, one } = alone();
    const seeking = one.seek();
    world.pass(12);
    seeking.release();
    world.pass(50);

    expect([one.calls, world.owners]).toEqual([['read', 'ACQUIRE', 'RELEASE'], ['-']]);
  });
});

describe('the store', () => {
  test('that is away for two seconds is not waited for: a load goes without a permit, and says so', () => {
    const { world, one } = alone();
    one.isCutOff = true;
    const seeking = one.seek();
    world.pass(2_000);
    expect(seeking.told).toEqual([]);
    world.pass(800);
    expect(seeking.told).toEqual(['store away']);

    // The next need not find it out again.
    const next = one.seek();
    world.pass(110);
    expect(next.told).toEqual(['store away']);
  });

  test('is asked again by the next after a silence: calls of long ago say nothing', () => {
    const { world, one } = alone();
    one.isCutOff = true;
    one.seek();
    world.pass(5_000);
    one.freeze(60_000, { stopsMonotonic: false });
    world.pass(60_000);
    const next = one.seek();
    world.pass(1_000);
    expect(next.told).toEqual([]);

    one.isCutOff = false;
    world.pass(2_000);
    expect(next.told).toEqual(['permit']);
  });

  test('is not away by two calls alone, however far apart', () => {
    const { world, one } = alone();
    one.isCutOff = true;
    const seeking = one.seek();
    world.pass(110);
    one.freeze(3_000, { stopsMonotonic: false });
    world.pass(3_200);
    expect([one.calls, seeking.told]).toEqual([['read', 'read'], []]);
    world.pass(700);

    expect(seeking.told).toEqual(['store away']);
  });

  test('that fails now and then is not away', () => {
    const { world, second } = withHolder();
    const seeking = second.seek();
    for (let look = 0; look < 40; look++) second.fates.push({ kind: look % 3 === 2 ? 'answered' : 'lost' });
    world.pass(20_000);

    expect(seeking.told).toEqual([]);
  });

  test('gets back what came of an ACQUIRE before it went away', () => {
    const { world, one } = alone();
    one.fates.push({ kind: 'answered' }, { kind: 'answer lost' });
    const seeking = one.seek();
    world.pass(20);
    one.isCutOff = true;
    world.pass(4_000);
    expect([seeking.told, world.owners]).toEqual([['store away'], ['i0']]);
    one.isCutOff = false;
    world.pass(2_000);

    expect(world.owners).toEqual(['-']);
  });
});

describe('a permit that is held', () => {
  test('is renewed every third of its lease, so that nobody takes it over', () => {
    const { world, holder, held, second } = withHolder();
    const seeking = second.seek();
    world.pass(120_000);

    expect(told(held, seeking)).toEqual(['permit', '']);
    expect(holder.calls.filter((call) => call === 'RENEW')).toHaveLength(12);
  });

  test('outlives renewals that are not answered, for as long as it may trust itself', () => {
    const { world, holder, held } = withHolder();
    world.pass(5_000);
    holder.isCutOff = true;
    world.pass(17_000);
    expect(held.told).toEqual(['permit']);
    holder.isCutOff = false;
    world.pass(1_000);
    holder.isCutOff = true;
    // From the last one that was answered.
    world.pass(20_000);

    expect(held.told).toEqual(['permit']);
  });

  test('is lost a margin before the end of its lease, which counts from when its last good renewal was sent', () => {
    const { world, holder, held } = withHolder();
    world.pass(11_000 - 20);
    holder.isCutOff = true;
    // Sent 10 ms after it began.
    world.pass(34_010 - 11_000);
    expect(held.told).toEqual(['permit']);
    world.pass(1);

    expect(held.told).toEqual(['permit', 'lost']);
  });

  test('is lost when it is refused, and is not given back then', () => {
    const { world, holder, held } = withHolder();
    world.table.apply(release({ model: MODEL, place: 0, fence: 1 }));
    world.pass(20_000);

    expect([held.told, holder.calls.at(-1)]).toEqual([['permit', 'lost'], 'RENEW']);
  });

  test.each([true, false])(
    'is lost at the first look after a freeze, whatever clock stood still: %s',
    (stopsMonotonic) => {
      const { world, holder, held, second } = withHolder();
      const seeking = second.seek();
      holder.freeze(60_000, { stopsMonotonic });
      world.pass(50_000);
      expect(told(held, seeking)).toEqual(['permit', 'permit']);
      world.pass(10_100);

      expect(held.told).toEqual(['permit', 'lost']);
      // What it does about it changes nothing of the new holder's.
      expect(world.owners).toEqual(['i1']);
    },
  );

  test.each(['answered', 'lost'] as const)(
    'is lost by the end of a call that a freeze lay in, before anybody is woken: %s',
    (kind) => {
      const { world, holder, held } = withHolder();
      world.pass(9_000);
      holder.fates.push({ kind });
      world.pass(990);
      expect(holder.calls.at(-1)).toBe('RENEW');
      holder.freeze(60_000, { stopsMonotonic: true, wakesLate: true });
      const order = watchOrder(world, held);
      world.pass(60_200);

      expect(order).toEqual(['lost', 'woken and lost']);
    },
  );

  test('is lost when its instance is woken, whatever call is out', () => {
    const { world, holder, held } = withHolder();
    world.pass(9_990);
    expect(holder.calls.at(-1)).toBe('RENEW');
    holder.freeze(60_000, { stopsMonotonic: true });
    const order = watchOrder(world, held);
    world.pass(60_200);

    expect(order).toEqual(['woken and lost']);
    expect(held.told).toEqual(['permit', 'lost']);
  });

  test('is renewed at once after a freeze that it outlives', () => {
    const { world, holder, held } = withHolder();
    world.pass(5_000);
    holder.freeze(17_000, { stopsMonotonic: true });
    world.pass(17_010);
    expect(holder.calls.at(-1)).toBe('RENEW');
    world.pass(60_000);

    expect(held.told).toEqual(['permit']);
  });

  test('that was lost is given back, so that the next need not wait for its lease', () => {
    const { world, holder, held, second } = withHolder();
    holder.freeze(25_000, { stopsMonotonic: false });
    world.pass(25_010);
    expect([held.told, world.owners]).toEqual([['permit', 'lost'], ['-']]);

    const seeking = second.seek();
    world.pass(20);
    expect(seeking.told).toEqual(['permit']);
  });

  test('is given back after a renewal that is out, not beside it', () => {
    const { world, holder, held } = withHolder();
    world.pass(9_992);
    expect(holder.calls.at(-1)).toBe('RENEW');
    held.release();
    held.release();
    expect(holder.calls.at(-1)).toBe('RENEW');
    world.pass(20);

    expect([holder.calls.at(-1), world.owners]).toEqual(['RELEASE', ['-']]);
  });

  test('is given back though the store does not answer at first, for as long as anybody gains by it', () => {
    const { world, holder, held } = withHolder();
    holder.isCutOff = true;
    held.release();
    world.pass(10_000);
    expect(world.owners).toEqual(['i0']);
    holder.isCutOff = false;
    world.pass(1_000);
    expect(world.owners).toEqual(['-']);

    const again = holder.seek();
    world.pass(20);
    holder.isCutOff = true;
    again.release();
    world.pass(40_000);
    const calls = holder.calls.length;
    world.pass(600_000);
    expect(holder.calls).toHaveLength(calls);
  });
});

describe('a place whose holder is gone', () => {
  test('is taken over when it has not changed for its lease, as its observer has seen it', () => {
    const { world, holder, second } = withHolder();
    world.pass(5_000);
    holder.freeze(600_000, { stopsMonotonic: true });
    const seeking = second.seek();
    world.pass(29_900);
    expect(seeking.told).toEqual([]);
    world.pass(4_200);

    expect([seeking.told, world.owners, world.record.fence]).toEqual([['permit'], ['i1'], 2]);
  });

  test('is watched from one search to the next, and through a freeze of the observer by the clock that says less', () => {
    const { world, holder, second } = withHolder();
    holder.freeze(600_000, { stopsMonotonic: true });
    const first = second.seek();
    world.pass(15_000);
    first.release();
    second.freeze(60_000, { stopsMonotonic: true });
    world.pass(60_000);
    const next = second.seek();
    world.pass(14_000);
    expect(next.told).toEqual([]);
    world.pass(4_200);

    expect(next.told).toEqual(['permit']);
  });

  test('is not waited for longer because a wall clock is set back', () => {
    const { world, holder, second } = withHolder();
    holder.freeze(6_000_000, { stopsMonotonic: true });
    const seeking = second.seek();
    world.pass(10_000);
    second.skewMs -= 3_600_000;
    world.pass(40_000);

    expect(seeking.told).toEqual(['permit']);
  });

  test('is left to its holder by an observer that was frozen between its look and the answer', () => {
    const { world, held, second } = withHolder();
    const seeking = second.seek();
    world.pass(1_012);
    expect(second.calls).toEqual(['read', 'read']);
    second.freeze(60_000, { stopsMonotonic: false, wakesLate: true });
    world.pass(120_000);

    expect(second.calls).toContain('ACQUIRE');
    expect(told(held, seeking)).toEqual(['permit', '']);
  });
});

describe('the clauses of each step', () => {
  const owner = { owner: 'me', attempt: '1', leaseMs: 30_000 };
  const empty = readPermits(undefined);
  /** A table in which `i` has the place with this number, in this order. */
  function tableOf(...places: number[]) {
    const table = new VirtualTable();
    const record = () => readPermits(table.read(permitKey(MODEL)).item);
    for (const place of places)
      table.apply(acquire(MODEL, record(), { place, owner: 'i', attempt: `${place}`, leaseMs: 1 }));
    return { table, record };
  }

  test('ACQUIRE: no two by the same fence, be it for different places', () => {
    const { table } = tableOf();
    expect(table.apply(acquire(MODEL, empty, { ...owner, place: 0 })).kind).toBe('updated');
    expect(table.apply(acquire(MODEL, empty, { ...owner, place: 1 })).kind).toBe('refused');
    const { table: later, record } = tableOf(0);
    const seen = record();
    later.apply(acquire(MODEL, seen, { ...owner, place: 1 }));
    expect(later.apply(acquire(MODEL, seen, { ...owner, place: 2 })).kind).toBe('refused');
  });

  test('ACQUIRE: not a place whose holder has renewed since, or that was given back and so is free for a new look', () => {
    const { table, record } = tableOf(0);
    const seen = record();
    table.apply(renew({ model: MODEL, place: 0, fence: 1 }, 1));
    expect(table.apply(acquire(MODEL, seen, { ...owner, place: 0 })).kind).toBe('refused');
    expect(table.apply(acquire(MODEL, record(), { ...owner, place: 0 })).kind).toBe('updated');
  });

  test('ACQUIRE: not a place that an operator has taken away meanwhile', () => {
    const { table, record } = tableOf(0);
    const seen = record();
    setPermits(table, 1);
    expect(table.apply(acquire(MODEL, seen, { ...owner, place: 1 })).kind).toBe('refused');
    setPermits(table, 2);
    expect(table.apply(acquire(MODEL, seen, { ...owner, place: 1 })).kind).toBe('updated');
  });

  test('RENEW: by its holder alone, and never back to an earlier renewal', () => {
    const { table, record } = tableOf(0);
    const held = { model: MODEL, place: 0, fence: 1 };
    expect(table.apply(renew(held, 2)).kind).toBe('updated');
    expect(table.apply(renew(held, 2)).kind).toBe('updated');
    expect(table.apply(renew(held, 1)).kind).toBe('refused');
    table.apply(acquire(MODEL, record(), { ...owner, place: 0 }));
    expect(table.apply(renew(held, 3)).kind).toBe('refused');
    table.apply(release({ ...held, fence: 2 }));
    expect(table.apply(renew({ ...held, fence: 2 }, 3)).kind).toBe('refused');
  });

  test('RELEASE: by its holder alone; the fence stays', () => {
    const { table, record } = tableOf(0);
    table.apply(acquire(MODEL, record(), { ...owner, place: 0 }));
    expect(table.apply(release({ model: MODEL, place: 0, fence: 1 })).kind).toBe('refused');
    expect(table.apply(release({ model: MODEL, place: 0, fence: 2 })).kind).toBe('updated');
    expect(record()).toEqual({ permits: undefined, fence: 2, slots: new Map() });
  });
});

test('what stands in an item that no permit could be belongs to nobody', () => {
  const item = { n: 'many', f: 4, s0: 'x', s1: { o: 'i', r: '1', l: 1, q: 0 }, s2: new Set(['a']), sx: 1 };

  expect(readPermits(item)).toEqual({ permits: undefined, fence: 4, slots: new Map() });
});
