import {
  abandon,
  claim,
  close,
  force,
  release,
  settleFailure,
  settleSuccess,
  trip,
} from '../../../shared/fleet/breaker/digest-steps.ts';
import { vote } from '../../../shared/fleet/breaker/vote-record.ts';
import type { Update } from '../../../shared/fleet/table/fleet-table.ts';
import { type Clause, clausesOfSteps } from './drop-clauses.ts';

const breaker = 'translate m@1';
const epoch = 3;
const held = { epoch, id: 'p1', successes: 0, openMs: 1_000, openings: undefined };
const open = { kind: 'OPEN', epoch, at: 0, openMs: 1_000, claims: 0 } as const;
const probe = { id: 'p1', owner: 'i1', leaseMs: 1_000 };

/** Every conditional write of the fleet's breakers, once each: a clause that is added to one of them is among these. */
export const fleetSteps: readonly Update[] = [
  trip(breaker, { epoch, now: 0, openMs: 1_000, openings: 1 }),
  claim(breaker, open, { probe, now: 0 }),
  settleSuccess(breaker, held, { needed: 1, now: 0 }),
  settleFailure(breaker, held, { now: 0, openMs: 1_000, openings: 2 }),
  abandon(breaker, held),
  close(breaker, { epoch }),
  force(breaker, { kind: 'FORCED_OPEN', by: 'ops', why: 'a test', until: 1_000 }, { epoch, now: 0 }),
  release(breaker, { epoch }),
  vote(breaker, epoch, 0, 'i1'),
];

export const fleetClauses: readonly Clause[] = clausesOfSteps(fleetSteps);
