import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, cooldownMs } from '../../shared/host/backoff.ts';

const settings = { maxAttempts: 9, backoffFactor: 3, initialMs: 1_000, maxMs: 20_000, cooldownMs: 30_000 };

describe('the wait before another attempt', () => {
  test.each([
    [1, 1_000],
    [2, 3_000],
    [3, 9_000],
    [4, 20_000],
    [9, 20_000],
  ])('after %i failed ones is at most %i ms', (attempts, mostMs) => {
    expect(backoffMs(settings, attempts, 1)).toBe(mostMs);
  });

  test('is anything from nothing up to there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
        expect(backoffMs(settings, attempts, random)).toBeCloseTo(random * backoffMs(settings, attempts, 1));
      }),
    );
  });
});

describe('the time for which a model is left alone', () => {
  test.each([
    [1, 30],
    [2, 90],
    [5, 30 * 81],
    [6, 30 * 81],
  ])('after %i series is %i s', (series, seconds) => {
    expect(cooldownMs(settings, series)).toBe(seconds * 1_000);
  });
});
