import { describe, expect, it } from 'vitest';
import { median, medianRatio } from './statistics.ts';
import { inWords } from './table.ts';

describe('statistics of a benchmark', () => {
  it('takes the value in the middle, or half way between the two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
    expect(() => median([])).toThrow(RangeError);
  });

  it('compares within each round, so that a slow round does not count against one side', () => {
    const ours = [1, 10, 1];
    const theirs = [2, 20, 2];

    expect(medianRatio(ours, theirs)).toBe(0.5);
    expect(() => medianRatio([1], [1, 2])).toThrow(RangeError);
  });
});

describe('the table for people', () => {
  it('says of each ratio whether it meets its target', () => {
    const benchmark = { name: 'translate', targets: { fast: 0.7, slow: 0.7 } };
    const report = { figures: { sentence_ms: 4.25, sentences: 200 }, ratios: { fast: 0.7, slow: 0.71, other: 12.34 } };

    const table = inWords(benchmark, report);

    expect(table.split('\n')).toEqual([
      '| ratio | median | target |          |',
      '| ----- | -----: | ------ | -------- |',
      '| fast  |  0.700 | ≤ 0.7  | met      |',
      '| slow  |  0.710 | ≤ 0.7  | not met  |',
      '| other |   12.3 |        | reported |',
      '',
      '| figure of translate | median |',
      '| ------------------- | -----: |',
      '| sentence_ms         |  4.250 |',
      '| sentences           |    200 |',
    ]);
  });
});
