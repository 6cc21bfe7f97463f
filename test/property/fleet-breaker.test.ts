import { beforeAll, describe, expect, test } from 'vitest';
import { dropClause } from '../simulation/fleet/drop-clauses.ts';
import { expectSoundHistories } from '../simulation/fleet/expect-sound-histories.ts';
import { playFleetHistory } from '../simulation/fleet/fleet-history.ts';
import { fleetClauses } from '../simulation/fleet/fleet-steps.ts';
import { playRange } from '../simulation/fleet/fleet-tally.ts';

beforeAll(() => {
  // Every refusal is an error, whose stack nobody looks at here.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return () => {
    Error.stackTraceLimit = stackTraceLimit;
  };
});

const histories = 1_500;

test(`breakers that a fleet shares keep every promise in ${histories} histories, which have every kind of trouble`, {
  timeout: 120_000,
}, () => {
  expectSoundHistories(playRange({ from: 0, count: histories }), histories);
});

test('a history follows from its seed alone', () => {
  const play = () => {
    const steps: string[] = [];
    playFleetHistory({ seed: 29, trace: (line) => steps.push(line) });
    return steps;
  };

  expect(play().length).toBeGreaterThan(10);
  expect(play()).toEqual(play());
});

describe('every clause of every step is needed: some history goes wrong without', { timeout: 120_000 }, () => {
  test.each(fleetClauses.map((one) => [one.step, one.clause] as const))('%s, clause %i', (step, clause) => {
    const mutate = dropClause({ step, clause });
    let seed = 0;
    while (seed < 500 && playFleetHistory({ seed, mutate }).wrong.length === 0) seed++;

    expect(seed).toBeLessThan(500);
  });
});
