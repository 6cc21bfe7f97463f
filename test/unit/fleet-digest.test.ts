import { describe, expect, it } from 'vitest';
import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import {
  breakersIn,
  digestKey,
  type FleetState,
  isInForce,
  isNotOlder,
  readEntry,
  wishCount,
} from '../../shared/fleet/breaker/digest-entry.ts';
import {
  abandon,
  claim,
  close,
  type Force,
  force,
  release,
  settleFailure,
  settleSuccess,
  trip,
} from '../../shared/fleet/breaker/digest-steps.ts';
import { MOST_VOTERS } from '../../shared/fleet/breaker/fleet-rules.ts';
import { vote, votersOf, votesKey, voteWindow } from '../../shared/fleet/breaker/vote-record.ts';
import type { Update } from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const breaker = 'translate m@1';
const now = 1_700_000_000_000;
const openMs = 300_000;
const probe = { id: 'p1', owner: 'i1', leaseMs: 60_000 };
const word: Force = { kind: 'FORCED_OPEN', by: 'ops', why: 'a bad version', until: now + 60_000 };

function stage() {
  const table = new VirtualTable();
  const entry = () => readEntry(table.read(digestKey).item, breaker);
  const apply = (update: Update) => table.apply(update).kind;
  /** All of these must be carried out. */
  const went = (...updates: readonly ((state: FleetState) => Update)[]) => {
    for (const update of updates) expect(apply(update(entry().state))).toBe('updated');
  };
  return { table, entry, apply, went };
}

const tripped = ({ epoch }: FleetState) => trip(breaker, { epoch, now, openMs, openings: 1 });
const claimed = (state: FleetState) => {
  if (state.kind !== 'OPEN' && state.kind !== 'HALF_OPEN') throw new Error(`it is ${state.kind}`);
  return claim(breaker, state, { probe, now });
};
const heldBy = (state: FleetState) => {
  if (state.kind !== 'HALF_OPEN') throw new Error(`it is ${state.kind}`);
  const { epoch, successes } = state;
  return { epoch, id: probe.id, successes, openMs, openings: undefined };
};
const succeeded = (needed: number) => (state: FleetState) => settleSuccess(breaker, heldBy(state), { needed, now });
const failed = (state: FleetState) => settleFailure(breaker, heldBy(state), { now, openMs: 2 * openMs, openings: 2 });

describe('an entry of the digest', () => {
  it('that nobody has written is CLOSED, in epoch 0', () => {
    expect(readEntry(undefined, breaker)).toEqual({
      state: { kind: 'CLOSED', epoch: 0 },
      openings: undefined,
      active: undefined,
    });
  });

  it('does not mix up breakers whose names begin alike', () => {
    const { table, went } = stage();
    went(tripped);

    expect(readEntry(table.read(digestKey).item, 'translate m@1.0').state).toEqual({ kind: 'CLOSED', epoch: 0 });
    expect(breakersIn(table.read(digestKey).item)).toEqual([breaker]);
  });

  it('in a state that only a later version knows leaves the decision to the local breaker', () => {
    const item = { [`e_${breaker}`]: 4, [`b_${breaker}`]: { st: 'DIMMED' } };

    expect(readEntry(item, breaker).state).toEqual({ kind: 'CLOSED', epoch: 4 });
  });

  it('has the count of active instances, and loses it when nobody calls it any more', () => {
    const { apply, entry, table } = stage();
    apply(countActive([[breaker, 'load m@1'], [breaker]], [], now) ?? tripped(entry().state));
    expect(entry().active).toEqual({ count: 2, at: now });
    expect(breakersIn(table.read(digestKey).item)).toEqual(['load m@1', breaker]);

    const none = countActive([], [breaker, 'load m@1'], now);
    if (none !== undefined) apply(none);

    expect(entry().active).toBeUndefined();
    expect(countActive([], [], now)).toBeUndefined();
  });

  it('is beside a counter of wishes, which begins at 0', () => {
    expect(wishCount(undefined)).toBe(0);
    expect(wishCount({ wish: 7 })).toBe(7);
  });
});

describe('the order of states', () => {
  const order: readonly FleetState[] = [
    { kind: 'CLOSED', epoch: 0 },
    { kind: 'OPEN', epoch: 1, at: now, openMs, claims: 0 },
    { kind: 'HALF_OPEN', epoch: 1, at: now, openMs, claims: 1, successes: 0, probe },
    { kind: 'HALF_OPEN', epoch: 1, at: now, openMs, claims: 1, successes: 1, probe: undefined },
    { kind: 'HALF_OPEN', epoch: 1, at: now, openMs, claims: 2, successes: 1, probe },
    { kind: 'RAMP', epoch: 1, at: now },
    { kind: 'CLOSED', epoch: 1 },
    { kind: 'FORCED_CLOSED', epoch: 2, at: now, by: 'ops', why: 'a test', until: now },
    { kind: 'CLOSED', epoch: 3 },
    { kind: 'OPEN', epoch: 4, at: now, openMs, claims: 0 },
  ];

  it('is by epoch, then OPEN, HALF_OPEN claim by claim, RAMP, CLOSED: what is older never replaces what is known', () => {
    for (const [i, known] of order.entries()) {
      for (const [j, read] of order.entries()) {
        expect(isNotOlder(read, known), `${JSON.stringify(read)} after ${JSON.stringify(known)}`).toBe(j >= i);
      }
    }
  });
});

describe('the steps', () => {
  it('TRIP opens in a new epoch, and only what is still in the epoch that was seen', () => {
    const { entry, apply, went } = stage();
    const late = tripped(entry().state);
    went(tripped);

    expect(entry()).toEqual({
      state: { kind: 'OPEN', epoch: 1, at: now, openMs, claims: 0 },
      openings: { count: 1, at: now },
      active: undefined,
    });
    expect(apply(late)).toBe('refused');
  });

  it('CLAIM gives the probe to one of all who saw the same', () => {
    const { entry, apply, went } = stage();
    went(tripped);
    const seen = entry().state;
    went(claimed);

    expect(entry().state).toEqual({ kind: 'HALF_OPEN', epoch: 1, at: now, openMs, claims: 1, successes: 0, probe });
    expect(apply(claimed(seen))).toBe('refused');
  });

  it('CLAIM takes over a probe that nobody settled, once', () => {
    const { entry, apply, went } = stage();
    went(tripped, claimed);
    const seen = entry().state;
    went(claimed);

    expect(entry().state).toMatchObject({ claims: 2 });
    expect(apply(claimed(seen))).toBe('refused');
  });

  it('CLAIM of an opening that is over is refused by the next, though both have had as many claims', () => {
    const { entry, apply, went } = stage();
    went(tripped);
    const seen = entry().state;
    went(claimed, failed);

    expect(apply(claimed(seen))).toBe('refused');
  });

  it('SETTLE counts a success, and the last that is needed begins the ramp', () => {
    const { entry, went } = stage();
    went(tripped, claimed, succeeded(2));
    expect(entry().state).toMatchObject({ kind: 'HALF_OPEN', successes: 1, probe: undefined });

    went(claimed, succeeded(2));

    expect(entry().state).toEqual({ kind: 'RAMP', epoch: 1, at: now });
  });

  it('SETTLE of a failure opens again, longer, in a new epoch', () => {
    const { entry, went } = stage();
    went(tripped, claimed, failed);

    expect(entry()).toMatchObject({
      state: { kind: 'OPEN', epoch: 2, openMs: 2 * openMs, claims: 0 },
      openings: { count: 2, at: now },
    });
  });

  it('SETTLE and ABANDON say something of their own probe only, and once', () => {
    const { entry, apply, went } = stage();
    went(tripped, claimed);
    const settled = [succeeded(2), failed].map((step) => step(entry().state));
    const other = { ...heldBy(entry().state), id: 'p0' };
    expect(apply(abandon(breaker, other))).toBe('refused');
    expect(apply(settleFailure(breaker, other, { now, openMs, openings: 2 }))).toBe('refused');
    went(() => abandon(breaker, { id: probe.id }));
    expect(entry().state).toMatchObject({ kind: 'HALF_OPEN', successes: 0, claims: 1, probe: undefined });

    expect(settled.map(apply)).toEqual(['refused', 'refused']);
  });

  it('CLOSE ends the ramp that it saw, and not what came of it meanwhile', () => {
    const { entry, apply, went } = stage();
    went(tripped, claimed, succeeded(1));
    const late = close(breaker, entry().state);
    went((state) => close(breaker, state));
    expect(entry().state).toEqual({ kind: 'CLOSED', epoch: 1 });
    went(tripped);

    expect(apply(late)).toBe('refused');
    expect(entry().openings).toEqual({ count: 1, at: now });
  });

  it('FORCE and RELEASE begin a new epoch each, and lose nothing that happened since somebody looked', () => {
    const { entry, apply, went } = stage();
    const late = force(breaker, word, { epoch: 0, now });
    went(tripped);
    expect(apply(late)).toBe('refused');
    went(({ epoch }) => force(breaker, word, { epoch, now }));
    expect(entry().state).toEqual({ ...word, epoch: 2, at: now });
    const lateRelease = release(breaker, entry().state);
    went((state) => release(breaker, state));
    expect(entry().state).toEqual({ kind: 'CLOSED', epoch: 3 });

    expect(apply(lateRelease)).toBe('refused');
  });
});

it('what an operator says rules until its time is over', () => {
  const state = { ...word, epoch: 1, at: now };

  expect(isInForce(state, word.until - 1)).toBe(true);
  expect(isInForce(state, word.until)).toBe(false);
  expect(isInForce({ kind: 'CLOSED', epoch: 1 }, now)).toBe(false);
});

describe('votes', () => {
  const cast = (voter: string) => vote(breaker, 3, voteWindow(now), voter);

  it('count each instance once, however often it votes', () => {
    const { table, apply } = stage();
    for (const voter of ['i1', 'i2', 'i1']) apply(cast(voter));

    expect([...votersOf(table.read(votesKey(breaker, 3, voteWindow(now))).item)]).toEqual(['i1', 'i2']);
  });

  it('are refused when there are enough, which shows who they are', () => {
    const { table, apply } = stage();
    for (let voter = 0; voter < MOST_VOTERS; voter++) expect(apply(cast(`i${voter}`))).toBe('updated');

    const answer = table.apply(cast('late'));

    expect(answer.kind).toBe('refused');
    expect(votersOf(answer.item).size).toBe(MOST_VOTERS);
  });

  it('of one epoch, or one window of 30 s, are none of another', () => {
    const { table, apply } = stage();
    apply(cast('i1'));

    expect(voteWindow(now + 30_000)).toBe(voteWindow(now) + 1);
    for (const key of [votesKey(breaker, 4, voteWindow(now)), votesKey(breaker, 3, voteWindow(now) + 1)]) {
      expect(votersOf(table.read(key).item).size).toBe(0);
    }
  });

  it('are forgotten by the table after some minutes', () => {
    const { table, apply } = stage();
    apply(cast('i1'));
    const { item } = table.read(votesKey(breaker, 3, voteWindow(now)));

    const afterSeconds = Number(item?.['expires']) - now / 1000;

    expect(afterSeconds).toBeGreaterThan(5 * 60);
    expect(afterSeconds).toBeLessThanOrEqual(10 * 60);
  });
});
