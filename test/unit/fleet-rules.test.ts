import { describe, expect, it, test } from 'vitest';
import {
  badCallsToVote,
  blindProbability,
  drawOpenMs,
  knownActive,
  MONITOR_PERIOD_MS,
  openingsThatCount,
  openMsOf,
  quorumOf,
  tryProbability,
  voteProbability,
} from '../../shared/fleet/breaker/fleet-rules.ts';
import { breakerSettings } from '../support/breaker-settings.ts';

const now = 1_700_000_000_000;
const resetMs = 300_000;

describe('the quorum', () => {
  it.each([
    [2, 2],
    [3, 2],
    [10, 2],
    [11, 3],
    [30, 6],
    [64, 13],
    [10_000, 13],
  ])('of %i active instances is %i', (active, quorum) => {
    expect(quorumOf(active, 0)).toBe(quorum);
  });

  it('is half as large while an opening still counts, and never less than two', () => {
    expect([2, 10, 30, 64, 10_000].map((active) => quorumOf(active, 1))).toEqual([2, 2, 3, 7, 7]);
  });

  it('is two where only one is known of, so that no count of yesterday lets one instance decide', () => {
    expect(quorumOf(1, 0)).toBe(2);
  });
});

describe('the bad calls that make a vote', () => {
  it('come, with a quorum, to as many as open a breaker alone', () => {
    const settings = breakerSettings({ failureThreshold: 5 });

    expect([2, 3, 5, 13].map((quorum) => badCallsToVote(settings, quorum))).toEqual([3, 2, 1, 1]);
  });

  it('are, by rate, the failures of the fewest calls that say something', () => {
    const settings = breakerSettings({ rule: 'rate', minimumCalls: 10, failureRatePercent: 50 });

    expect(badCallsToVote(settings, 2)).toBe(3);
  });
});

describe('the count of active instances', () => {
  it('is believed for two looks of the monitor, whichever clock is ahead', () => {
    const count = (ageMs: number) => knownActive({ count: 7, at: now - ageMs }, now);

    expect(count(2 * MONITOR_PERIOD_MS)).toBe(7);
    expect(count(2 * MONITOR_PERIOD_MS + 1)).toBeUndefined();
    expect(count(-2 * MONITOR_PERIOD_MS)).toBe(7);
    expect(count(-2 * MONITOR_PERIOD_MS - 1)).toBeUndefined();
  });

  it('is unknown where nobody has counted, or nobody was found', () => {
    expect(knownActive(undefined, now)).toBeUndefined();
    expect(knownActive({ count: 0, at: now }, now)).toBeUndefined();
  });
});

describe('the time for which it stays open', () => {
  it('doubles with each opening in a row, up to six times the first', () => {
    expect([1, 2, 3, 4, 20].map((openings) => openMsOf(openings, resetMs))).toEqual(
      [1, 2, 4, 6, 6].map((times) => times * resetMs),
    );
  });

  it('is up to a tenth longer by chance, so that not all are probed at once', () => {
    expect(drawOpenMs(1, resetMs, 0)).toBe(300_000);
    expect(drawOpenMs(1, resetMs, 0.5)).toBe(315_000);
    expect(drawOpenMs(1, resetMs, 1 - Number.EPSILON)).toBe(330_000);
  });
});

describe('openings in a row', () => {
  it('count until it has been well for four times the first opening', () => {
    const counted = (ageMs: number) => openingsThatCount({ count: 2, at: now - ageMs }, now, resetMs);
    const wholeMs = 2 * resetMs + 4 * resetMs;

    expect(counted(wholeMs)).toBe(2);
    expect(counted(wholeMs + 1)).toBe(0);
  });

  it('are none where it has never opened', () => {
    expect(openingsThatCount(undefined, now, resetMs)).toBe(0);
  });
});

test('of a large fleet, chance lets some 64 vote, ten try, and one try blindly', () => {
  const active = 10_000;

  expect(active * voteProbability(active)).toBeCloseTo(64);
  expect(active * tryProbability(active)).toBeCloseTo(10);
  expect(active * blindProbability(active)).toBeCloseTo(1);
});

test('of a small fleet all vote and try; where the count is unknown it is taken for 64', () => {
  expect([1, 2, 64].map(voteProbability)).toEqual([1, 1, 1]);
  expect([1, 10].map(tryProbability)).toEqual([1, 1]);
  expect(tryProbability(undefined)).toBe(tryProbability(64));
  expect(blindProbability(undefined)).toBe(1 / 64);
  expect(blindProbability(1)).toBe(1);
});
