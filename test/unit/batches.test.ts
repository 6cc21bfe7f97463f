import { describe, expect, test } from 'vitest';
import { batchesByLength } from '../../shared/runtime/translation/batches.ts';

describe('batches', () => {
  test('hold sentences of similar length', () => {
    const lengths = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 5 : 50));

    const batches = batchesByLength(lengths, 1);

    expect(batches.map((batch) => batch.length)).toEqual([20, 20]);
    expect(new Set(batches[0]?.map((index) => lengths[index]))).toEqual(new Set([5]));
    expect(new Set(batches[1]?.map((index) => lengths[index]))).toEqual(new Set([50]));
  });

  test('are split where padding would cost more than steps of their own', () => {
    const lengths = [...new Array(8).fill(6), ...new Array(8).fill(24)];

    expect(batchesByLength(lengths, 1).map((batch) => batch.length)).toEqual([8, 8]);
    expect(batchesByLength([6, 7, 9, 12], 1)).toEqual([[0, 1, 2, 3]]);
  });

  test('hold fewer sentences when each takes several rows', () => {
    expect(batchesByLength(new Array(20).fill(5), 4).map((batch) => batch.length)).toEqual([8, 8, 4]);
  });

  test('hold a sentence alone that is too long for any company', () => {
    expect(batchesByLength([5000, 10, 5000], 1)).toEqual([[1], [0], [2]]);
  });

  test('are none for no sentences', () => {
    expect(batchesByLength([], 4)).toEqual([]);
  });
});
