import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptiest, enough, evictable, expired, idle, type Resident } from '../../shared/host/eviction.ts';

const NOW = 100_000;

function resident(key: string, changes: Partial<Resident> = {}): Resident {
  return { key, memoryMb: 100, leases: 0, readyAt: 0, lastUsedAt: 0, stays: false, keepAliveMs: undefined, ...changes };
}

const keys = (residents: readonly Resident[] | undefined) => residents?.map(({ key }) => key);

/** Such that none may go by itself, for one reason each. */
const unmovable = [resident('leased', { leases: 1 }), resident('stays', { stays: true })];

describe('models that may make room', () => {
  test('are idle, not pinned, READY for long enough; least recently used first', () => {
    const residents = [
      ...unmovable,
      resident('pinned', { keepAliveMs: -1 }),
      resident('new', { readyAt: NOW - 999 }),
      resident('late', { lastUsedAt: 2, readyAt: NOW - 1_000 }),
      resident('kept', { lastUsedAt: 1, keepAliveMs: 0 }),
    ];

    expect(keys(evictable(residents, NOW, 1_000))).toEqual(['kept', 'late']);
  });
});

describe('enough of them', () => {
  const sizes = (...mb: number[]) => mb.map((memoryMb) => resident(`${memoryMb}`, { memoryMb }));

  test.each([
    ['are the first that suffice', [100, 200, 300], 300, ['100', '200']],
    ['are none when nothing is missing', [100], 0, []],
    ['leave out those that a later one makes needless', [100, 600], 500, ['600']],
    ['leave out no more than that', [100, 200, 600], 700, ['200', '600']],
    ['are all when just that many', [100, 200], 300, ['100', '200']],
    ['are not there when all are too little', [100, 200], 301, undefined],
  ])('%s', (_, mb, needed, expected) => {
    expect(keys(enough(sizes(...mb), needed))).toEqual(expected);
  });

  test('suffice, and none of them is needless, whatever their sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 })), fc.nat(3_000), (mb, needed) => {
        const chosen = enough(sizes(...mb), needed)?.map(({ memoryMb }) => memoryMb);
        const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

        if (chosen === undefined) {
          expect(sum(mb)).toBeLessThan(needed);
          return;
        }
        expect(sum(chosen)).toBeGreaterThanOrEqual(needed);
        for (const each of chosen) expect(sum(chosen) - each).toBeLessThan(needed);
      }),
    );
  });
});

describe('models whose keep_alive is over', () => {
  test('have one, are idle and were used long enough ago', () => {
    const residents = [
      ...unmovable.map((each) => ({ ...each, keepAliveMs: 1 })),
      resident('none'),
      resident('pinned', { keepAliveMs: -1 }),
      resident('early', { keepAliveMs: 1_000, lastUsedAt: NOW - 999 }),
      resident('over', { keepAliveMs: 1_000, lastUsedAt: NOW - 1_000 }),
      resident('zero', { keepAliveMs: 0, lastUsedAt: NOW }),
    ];

    expect(keys(expired(residents, NOW))).toEqual(['over', 'zero']);
  });
});

describe('idle models', () => {
  test('have no keep_alive and were used long enough ago; least recently used first, so many at most', () => {
    const residents = [
      ...unmovable,
      resident('kept', { keepAliveMs: 1 }),
      resident('early', { lastUsedAt: NOW - 999 }),
      resident('third', { lastUsedAt: NOW - 1_000 }),
      resident('first', { lastUsedAt: 1 }),
      resident('second', { lastUsedAt: 2 }),
    ];

    expect(keys(idle(residents, NOW, 1_000, 9))).toEqual(['first', 'second', 'third']);
    expect(keys(idle(residents, NOW, 1_000, 2))).toEqual(['first', 'second']);
  });
});

describe('the one to end first', () => {
  test.each([
    ['has the fewest leases', [resident('a', { leases: 2 }), resident('b', { leases: 1, stays: true })], 'b'],
    ['of those need not stay', [resident('a', { stays: true }), resident('b', { lastUsedAt: 9 })], 'b'],
    ['of those was used least recently', [resident('a', { lastUsedAt: 2 }), resident('b', { lastUsedAt: 1 })], 'b'],
    ['is nobody when nobody is there', [], undefined],
  ])('%s', (_, residents, expected) => {
    expect(emptiest(residents)?.key).toBe(expected);
  });
});
