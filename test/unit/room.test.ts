import { describe, expect, test } from 'vitest';
import type { Resident } from '../../shared/host/eviction.ts';
import { judge, type Room } from '../../shared/host/room.ts';

const NOW = 100_000;

function resident(key: string, changes: Partial<Resident> = {}): Resident {
  return { key, memoryMb: 300, leases: 0, readyAt: 0, lastUsedAt: 0, stays: false, keepAliveMs: undefined, ...changes };
}

/** A budget of 800 MB, 600 of them taken; a newcomer of 300 MB that somebody waits for. */
function room(changes: Partial<Room<Resident>> = {}): Room<Resident> {
  return {
    neededMb: 300,
    budgetMb: 800,
    largestBudgetMb: 900,
    reservedMb: 600,
    leavingMb: 0,
    shrinkingMb: 0,
    residents: [],
    replaced: [],
    haveOutstayed: false,
    mayEvict: true,
    now: NOW,
    minimumResidencyMs: 1_000,
    ...changes,
  };
}

const [old, young] = [resident('old', { lastUsedAt: 1 }), resident('young', { lastUsedAt: 2 })];
const busy = resident('busy', { leases: 1 });
const notNow = { kind: 'not now', retryAfterMs: 5_000 };

describe('room for a model', () => {
  test.each<[string, Partial<Room<Resident>>, object]>([
    ['is there when it fits to the last MB', { neededMb: 200 }, { kind: 'fits' }],
    ['cannot be told when memory cannot be read', { budgetMb: undefined }, { kind: 'unreadable' }],
    ['cannot be told when the largest budget cannot', { largestBudgetMb: undefined }, { kind: 'unreadable' }],
    [
      'will never be there for what needs more than the largest budget',
      { neededMb: 901 },
      { kind: 'never', budgetMb: 900 },
    ],
    ['is not refused for ever to what could have had it once', { neededMb: 900, residents: [busy] }, notNow],
    ['is not there now', { residents: [busy] }, notNow],
    ['will be there when enough has left', { leavingMb: 100, residents: [old] }, { kind: 'wait' }],
    ['is made by as many as must go', { residents: [young, old] }, { kind: 'evict', models: [old] }],
    [
      'is made by those who are needed beside those who leave',
      { leavingMb: 99, residents: [old] },
      { kind: 'evict', models: [old] },
    ],
    ['will be there when loads have shrunk', { shrinkingMb: 100 }, { kind: 'wait' }],
    ['is not there when they shrink too little', { shrinkingMb: 99, residents: [busy] }, notNow],
    [
      'will be there when loads have shrunk and somebody goes then',
      { neededMb: 550, shrinkingMb: 50, residents: [old, busy] },
      { kind: 'wait' },
    ],
    [
      'is made by nobody for what nobody waits for',
      { residents: [old], mayEvict: false },
      expect.objectContaining({ kind: 'not now' }),
    ],
    [
      'is made by the version that it replaces, though nobody waits and it is young',
      { residents: [young], replaced: [young], mayEvict: false, minimumResidencyMs: NOW + 1 },
      { kind: 'evict', models: [young] },
    ],
    ['is not made by a replaced version in use', { residents: [busy], replaced: [busy] }, notNow],
    [
      'is made by a replaced version that has outstayed its time, in use or not',
      { residents: [busy], replaced: [busy], haveOutstayed: true },
      { kind: 'evict', models: [busy] },
    ],
    [
      'is made by others before the version that still serves',
      { residents: [old, young], replaced: [old] },
      { kind: 'evict', models: [young] },
    ],
  ])('%s', (_, changes, expected) => {
    expect(judge(room(changes))).toEqual(expected);
  });
});

describe('a model that would be alone', () => {
  const alone = { neededMb: 900, budgetMb: 500 };

  test.each<[string, Partial<Room<Resident>>, object]>([
    ['has what it could have had at first', { ...alone, reservedMb: 0 }, { kind: 'fits' }],
    ['has it though sums are a little off', { ...alone, reservedMb: 0.0005 }, { kind: 'fits' }],
    ['has it when the last has left', { ...alone, reservedMb: 300, leavingMb: 300 }, { kind: 'wait' }],
    ['makes all others go for it', { ...alone, residents: [old, young] }, { kind: 'evict', models: [old, young] }],
    ['has it not beside one in use', { ...alone, residents: [old, busy] }, notNow],
  ])('%s', (_, changes, expected) => {
    expect(judge(room(changes))).toEqual(expected);
  });
});

describe('when to come back', () => {
  const fresh = (readyAt: number, changes: Partial<Resident> = {}) => resident('fresh', { readyAt, ...changes });
  const retryAfterMs = (...residents: Resident[]) => {
    const verdict = judge(room({ residents, reservedMb: 900 }));
    return verdict.kind === 'not now' ? verdict.retryAfterMs : undefined;
  };

  test('is when the first idle model has been READY for long enough', () => {
    expect(retryAfterMs(fresh(NOW - 400), fresh(NOW - 700), fresh(NOW - 100, { leases: 1 }))).toBe(300);
    expect(retryAfterMs(fresh(NOW - 400, { keepAliveMs: 0 }))).toBe(600);
  });

  test.each([
    ['in use', { leases: 1 }],
    ['staying', { stays: true }],
    ['pinned', { keepAliveMs: -1 }],
  ])('is not told by a model that is %s', (_, changes) => {
    expect(retryAfterMs(fresh(NOW - 400, changes))).toBe(5_000);
  });

  test('is not told by one that may go already and is not enough', () => {
    expect(retryAfterMs(fresh(NOW - 1_000), busy)).toBe(5_000);
  });
});
