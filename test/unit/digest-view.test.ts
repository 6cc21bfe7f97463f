import { describe, expect, it } from 'vitest';
import { digestKey, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { DigestView } from '../../shared/fleet/breaker/digest-view.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import { HandClock } from '../support/hand-clock.ts';
import { ScheduledStore } from '../support/scheduled-store.ts';

function stage({ chance = 0 } = {}) {
  const clock = new HandClock();
  const store = new ScheduledStore();
  const seen: number[] = [];
  const view = new DigestView({
    table: store.reachedBy(),
    elapsed: () => clock.awake(),
    random: () => chance,
    ttlMs: 5_000,
    onItem: (item) => seen.push(wishCount(item)),
  });
  const write = (wish: number) =>
    store.apply({ name: 'WISH', key: digestKey, condition: undefined, changes: [set(['wish'], wish)] });
  /** A request, after so many ms. @returns reads that it began */
  const wakeAfter = (ms: number) => {
    clock.pass(ms);
    const before = store.asked.length;
    view.wake();
    const begun = store.asked.length - before;
    store.answerAll();
    return begun;
  };
  return { clock, store, view, seen, write, wakeAfter };
}

describe('a view of the digest', () => {
  it('is read by the first request, and then when its time to live is over', () => {
    const { wakeAfter } = stage();

    expect([wakeAfter(0), wakeAfter(4_999), wakeAfter(1), wakeAfter(4_999), wakeAfter(1)]).toEqual([1, 0, 1, 0, 1]);
  });

  it('lives up to a fifth shorter by chance, so that instances do not read all at once', () => {
    const { wakeAfter } = stage({ chance: 0.5 });

    expect([wakeAfter(0), wakeAfter(4_499), wakeAfter(1)]).toEqual([1, 0, 1]);
  });

  it('hands on what every answer shows, what others wrote included', () => {
    const { view, seen, write, store } = stage();
    write(3);
    view.read();
    store.answerAll();
    view.adopt({ wish: 4 }, 0);

    expect(seen).toEqual([3, 4]);
    expect(view.item).toEqual({ wish: 4 });
  });

  it('is read once for all who ask at the same time, each of whom is told', () => {
    const { view, store } = stage();
    const told: string[] = [];
    view.read((isRead) => told.push(`first ${isRead}`));
    view.read((isRead) => told.push(`second ${isRead}`));
    expect(store.asked).toEqual(['READ']);

    store.answerAll();

    expect(told).toEqual(['first true', 'second true']);
  });

  it('asks a store that is away no more often than one that is there, and says so to who waits', () => {
    const { view, store, wakeAfter, clock } = stage();
    const told: boolean[] = [];
    view.read((isRead) => told.push(isRead));
    store.lose(0);

    expect(told).toEqual([false]);
    expect(view.item).toBeUndefined();
    expect(wakeAfter(4_999)).toBe(0);
    clock.pass(1);
    expect(wakeAfter(0)).toBe(1);
  });
});

describe('the age of a view', () => {
  it('makes it stale after two times to live, and from the beginning', () => {
    const { view, clock, wakeAfter } = stage();
    expect(view.isStale()).toBe(true);
    wakeAfter(0);
    clock.pass(10_000);
    expect(view.isStale()).toBe(false);

    clock.pass(1);

    expect(view.isStale()).toBe(true);
  });

  it('makes it blind after a minute, and from the beginning', () => {
    const { view, clock, wakeAfter } = stage();
    expect(view.isBlind()).toBe(true);
    wakeAfter(0);
    clock.pass(60_000);
    expect(view.isBlind()).toBe(false);

    clock.pass(1);

    expect(view.isBlind()).toBe(true);
  });

  it('counts from the question: an answer that waited through a freeze is as old as the freeze is long', () => {
    const { view, clock, store } = stage();
    view.wake();
    store.carryOut(0);
    clock.pass(30_000);
    store.answer(0);

    expect(view.isStale()).toBe(true);
    view.wake();
    expect(store.asked).toEqual(['READ', 'READ']);
  });

  it('is not made greater by an older answer that comes later', () => {
    const { view, clock } = stage();
    clock.pass(20_000);
    view.adopt({ wish: 2 }, 20_000);
    view.adopt({ wish: 1 }, 0);

    expect(view.isStale()).toBe(false);
  });

  it('of two seconds is enough for a new look where calls fail, which begins at once', () => {
    const { view, wakeAfter, clock, store } = stage();
    wakeAfter(0);
    clock.pass(1_999);
    view.hurry();
    expect(store.asked).toHaveLength(1);
    clock.pass(1);

    view.hurry();

    expect(store.asked).toHaveLength(2);
  });

  it('is not renewed more often than that, however many calls fail, and whether or not the store answers', () => {
    const { view, clock, store } = stage();
    for (let call = 0; call < 100; call++) {
      view.hurry();
      for (const { id } of store.calls) store.lose(id);
      clock.pass(100);
    }

    expect(store.asked).toHaveLength(5);
  });

  it('of two seconds makes it worth waiting for, once a call has failed after it was read', () => {
    const { view, clock, wakeAfter } = stage();
    wakeAfter(0);
    clock.pass(100);
    view.hurry();
    expect(view.isStale()).toBe(false);

    clock.pass(1_901);
    expect(view.isStale()).toBe(true);

    wakeAfter(0);
    clock.pass(4_999);
    expect(view.isStale()).toBe(false);
  });
});
