import { describe, expect, test } from 'vitest';
import { dropClause } from '../simulation/fleet/drop-clauses.ts';
import { explore } from '../simulation/fleet/exhaustive/explore.ts';

describe('three instances: nothing goes wrong in any order of all that can happen', { timeout: 120_000 }, () => {
  test.each([
    ['closed', 7, 800],
    ['open', 10, 1_500],
    ['half open', 11, 500],
    ['ramp', 5, 200],
  ] as const)('from %s, in %i steps, with a fault and a jump of time in between', (beginning, depth, atLeast) => {
    const { states, wrong } = explore({ beginning, depth, bounds: { faults: 1, passes: 1, words: 0 } });

    expect(wrong).toBeUndefined();
    expect(states).toBeGreaterThan(atLeast);
  });

  test.each([
    ['closed', 6],
    ['open', 8],
    ['half open', 8],
    ['ramp', 4],
  ] as const)('from %s, in %i steps, with a jump of time and an operator in between', (beginning, depth) => {
    const { wrong } = explore({ beginning, depth, bounds: { faults: 0, passes: 1, words: 2 } });

    expect(wrong).toBeUndefined();
  });
});

describe('without a clause, some order of what can happen goes wrong', { timeout: 120_000 }, () => {
  const bounds = { faults: 0, passes: 0, words: 0 };
  test.each([
    ['TRIP', 0, 'closed', bounds, 10],
    ['CLAIM', 0, 'open', bounds, 11],
    ['CLAIM', 1, 'open', bounds, 8],
    ['SETTLE', 0, 'open', { ...bounds, faults: 1 }, 8],
    ['ABANDON', 0, 'open', { ...bounds, faults: 1 }, 8],
    ['CLOSE', 0, 'ramp', { ...bounds, passes: 1 }, 7],
    ['FORCE', 0, 'open', { ...bounds, words: 1 }, 9],
  ] as const)('%s, clause %i, from %s', (step, clause, beginning, within, depth) => {
    const { wrong } = explore({ beginning, bounds: within, depth, mutate: dropClause({ step, clause }) });

    expect(wrong?.way).toHaveLength(depth);
  });
});
