import { beforeAll, expect, test } from 'vitest';
import { dropClause } from './fleet/drop-clauses.ts';
import { playFleetHistory } from './fleet/fleet-history.ts';
import { fleetClauses } from './fleet/fleet-steps.ts';

beforeAll(() => {
  // Every refusal is an error, whose stack nobody looks at here.
  Error.stackTraceLimit = 0;
});

const FIRST = 50_000;
const MOST = 10_000;
const TIMES = 10;

test.each(fleetClauses.map((one) => [one.step, one.clause] as const))(
  `without a clause (%s, %i) ${TIMES} of at most ${MOST} histories go wrong`,
  (step, clause) => {
    const mutate = dropClause({ step, clause });
    let caught = 0;
    for (let seed = FIRST; seed < FIRST + MOST && caught < TIMES; seed++) {
      if (playFleetHistory({ seed, mutate }).wrong.length > 0) caught++;
    }

    expect(caught).toBe(TIMES);
  },
);
