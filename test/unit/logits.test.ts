import { describe, expect, test } from 'vitest';
import { argmax, ban, largest, logSumExp } from '../../shared/runtime/translation/logits.ts';

/** Two rows of four. */
const values = Float32Array.of(9, 1, 3, 2, 5, 7, 7, -1);

describe('logits of one row', () => {
  test('argmax finds the largest, the first of equals, in its row alone', () => {
    expect(argmax(values, 0, 4)).toBe(0);
    expect(argmax(values, 4, 4)).toBe(1);
  });

  test('largest lists the best first, earlier ones first among equals', () => {
    expect(largest(values, 0, 4, 3)).toEqual([0, 2, 3]);
    expect(largest(values, 4, 4, 2)).toEqual([1, 2]);
  });

  test('largest lists all there are when more are wanted', () => {
    expect(largest(values, 4, 4, 9)).toEqual([1, 2, 0, 3]);
  });

  test('a banned token has no chance, in its row alone', () => {
    const logits = values.slice();
    ban(logits, 4, [1, 2]);

    expect([...logits]).toEqual([9, 1, 3, 2, 5, -Infinity, -Infinity, -1]);
  });

  test('logSumExp makes probabilities of logits, also of large ones', () => {
    const row = Float32Array.of(1000, 1000 + Math.log(3), -Infinity);
    const total = logSumExp(row, 0, 3);

    expect(Math.exp((row[0] ?? 0) - total)).toBeCloseTo(1 / 4, 3);
    expect(Math.exp((row[1] ?? 0) - total)).toBeCloseTo(3 / 4, 3);
  });
});
