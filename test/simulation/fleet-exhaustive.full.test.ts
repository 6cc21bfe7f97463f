import { expect, test } from 'vitest';
import { explore } from './fleet/exhaustive/explore.ts';

test.each([
  ['closed', 9, { faults: 1, passes: 1, words: 0 }],
  ['closed', 8, { faults: 0, passes: 1, words: 2 }],
  ['open', 12, { faults: 2, passes: 2, words: 0 }],
  ['open', 10, { faults: 1, passes: 1, words: 2 }],
  ['half open', 13, { faults: 2, passes: 2, words: 0 }],
  ['half open', 11, { faults: 1, passes: 1, words: 2 }],
  ['ramp', 8, { faults: 1, passes: 1, words: 0 }],
  ['ramp', 6, { faults: 0, passes: 1, words: 2 }],
] as const)(
  'three instances, from %s, in any order of %i steps of all that can happen (%o)',
  (beginning, depth, bounds) => {
    const startedAt = performance.now();
    const { states, steps, wrong } = explore({ beginning, depth, bounds });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.log(`${beginning}: ${depth} steps deep, ${states} states, ${steps} steps, ${seconds} s`);

    expect(wrong).toBeUndefined();
  },
);
