import { describe, expect, it } from 'vitest';
import { median, medianRatio, quantile } from './statistics.ts';
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

  it('finds the value that a share of all values does not exceed', () => {
    const upTo200 = Array.from({ length: 200 }, (_, index) => 200 - index);

    expect(quantile(upTo200, 0.99)).toBe(198);
    expect(quantile([3, 1, 2], 0.99)).toBe(3);
    expect(quantile([7], 0.5)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('the table for people', () => {
  it('says of each ratio whether it meets its target', () => {
    const benchmark = { name: 'translate', targets: { fast: { atMost: 0.7 }, slow: { atMost: 0.7 } } };
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

  it('knows targets that want much, and targets of figures', () => {
    const benchmark = { name: 'unload', targets: { returned: { atLeast: 0.9 }, most_ns: { atMost: 1000 } } };

    const ratios = inWords(benchmark, { figures: { cycles: 50 }, ratios: { returned: 0.9, other: 1 } });
    const figures = inWords(benchmark, { figures: { most_ns: 1001, rounds: 9 }, ratios: {} });

    expect(ratios).toContain('| returned |  0.900 | ≥ 0.9  | met      |');
    expect(ratios).toContain('| cycles           |     50 |');
    expect(figures.split('\n')).toEqual([
      '| figure of unload | median | target |          |',
      '| ---------------- | -----: | ------ | -------- |',
      '| most_ns          |   1001 | ≤ 1000 | not met  |',
      '| rounds           |      9 |        | reported |',
    ]);
  });
});
