import { describe, expect, it } from 'vitest';
import { digestKey, readEntry } from '../../shared/fleet/breaker/digest-entry.ts';
import { claim } from '../../shared/fleet/breaker/digest-steps.ts';
import { BREAKER, FleetStage } from '../support/fleet-stage.ts';

const RESET_MS = 300_000;
const LEASE_MS = 60_000;

/** An instance that knows of an opening which is over: the probe is free. */
function rested() {
  const stage = new FleetStage();
  stage.told(stage.count(3)).told(stage.trip());
  return stage.pass(RESET_MS).look();
}

const writes = (stage: FleetStage) => stage.store.asked.filter((name) => name !== 'READ');

describe('a claim', () => {
  it('looks at the store, and gives the right to one call, which must end before the lease does', () => {
    const stage = rested();

    const { held, timeoutMs } = stage.probe();

    expect(writes(stage)).toEqual(['CLAIM']);
    expect(held).toMatchObject({ epoch: 1, id: 'me-1', successes: 0 });
    expect(timeoutMs).toBeCloseTo(0.8 * LEASE_MS);
    expect(stage.entry().state).toMatchObject({
      kind: 'HALF_OPEN',
      claims: 1,
      probe: { id: 'me-1', owner: 'me', leaseMs: LEASE_MS },
    });
  });

  it('writes nothing when the look shows that another has it', () => {
    const stage = rested();
    const tickets = stage.put(stage.claim('p1')).probing();
    stage.store.answerAll();

    expect(tickets).toEqual([undefined]);
    expect(writes(stage)).toEqual([]);
  });

  it('is lost to who is a moment faster', () => {
    const stage = rested();
    const tickets = stage.probing();
    stage.answer().put(stage.claim('p1')).store.answerAll();

    expect(tickets).toEqual([undefined]);
    expect(writes(stage)).toEqual(['CLAIM']);
    expect(stage.entry().state).toMatchObject({ probe: { id: 'p1' }, claims: 1 });
  });

  it('is not made on what was known before the store could not be read', () => {
    const stage = rested();
    const tickets = stage.probing();
    stage.loseCall();

    expect(tickets).toEqual([undefined]);
    expect(writes(stage)).toEqual([]);
  });

  it('keeps all other calls from asking while it is under way', () => {
    const stage = rested();
    expect(stage.breaker.mayProbe()).toBe(true);
    stage.probing();

    expect(stage.breaker.mayProbe()).toBe(false);
  });
});

describe('a claim whose answer is lost', () => {
  it('is repeated once; when the repetition is refused by its own success, the probe is held', () => {
    const stage = rested();
    const tickets = stage.probing();
    stage.answer().loseAnswer().store.answerAll();

    expect(writes(stage)).toEqual(['CLAIM', 'CLAIM']);
    expect(tickets).toMatchObject([{ held: { id: 'me-1' } }]);
    expect(stage.entry().state).toMatchObject({ claims: 1 });
  });

  it('counts from when it was sent first: the lease may have begun then', () => {
    const stage = rested();
    const tickets = stage.probing();
    stage.answer();
    const sentAt = stage.clock.awake();
    stage.pass(100).loseAnswer().pass(100).store.answerAll();

    expect(tickets).toMatchObject([{ timeoutMs: 0.8 * LEASE_MS - 200 }]);
    expect(stage.clock.awake()).toBe(sentAt + 200);
  });

  it('twice is found again by the next look, and goes on with what is left of its lease', () => {
    const stage = rested();
    const tickets = stage.probing();
    stage.answer().loseAnswer().loseCall();
    expect(tickets).toEqual([undefined]);
    stage.pass(10_000).look();
    // It is its own: there is nothing to draw for.
    stage.chance = 1 - Number.EPSILON;
    expect(stage.breaker.refuses()).toBe(false);

    const { held, timeoutMs } = stage.probe();

    expect(held.id).toBe('me-1');
    expect(timeoutMs).toBeCloseTo(0.8 * LEASE_MS - 10_000);
    expect(writes(stage)).toEqual(['CLAIM', 'CLAIM']);
  });

  it('is not gone on with when too little of its lease is left for a call', () => {
    const stage = rested();
    stage.probing();
    stage
      .answer()
      .loseAnswer()
      .loseCall()
      .pass(0.8 * LEASE_MS + 1)
      .look();

    const tickets = stage.probing();
    stage.store.answerAll();

    expect(tickets).toEqual([undefined]);
  });

  it('goes by the newest that is known, though an older answer comes last', () => {
    const stage = rested();
    const { item: before } = stage.store.table.read(digestKey);
    stage.probing();
    stage.answer().loseAnswer().loseCall().look();
    const tickets = stage.probing();
    // An eventually consistent read.
    stage.store.answerWith(before);

    expect(readEntry(stage.digest.item, BREAKER).state.kind).toBe('OPEN');
    expect(tickets).toMatchObject([{ held: { id: 'me-1', epoch: 1 } }]);
  });
});

describe('what came of a probe', () => {
  it('is told once: so many successes in a row begin the ramp', () => {
    const stage = rested();
    stage.settle(stage.probe(), 'success').store.answerAll();
    expect(stage.entry().state).toMatchObject({ kind: 'HALF_OPEN', successes: 1, probe: undefined });

    stage.settle(stage.probe(), 'success').store.answerAll();

    expect(stage.entry().state).toMatchObject({ kind: 'RAMP', epoch: 1 });
    expect(writes(stage)).toEqual(['CLAIM', 'SETTLE', 'CLAIM', 'SETTLE']);
  });

  it('opens it again when it failed, for twice the time, in a new epoch', () => {
    const stage = rested();
    stage.settle(stage.probe(), 'failure').store.answerAll();

    expect(stage.entry()).toMatchObject({
      state: { kind: 'OPEN', epoch: 2, openMs: 2 * RESET_MS },
      openings: { count: 2 },
    });
  });

  it('is a failure when it was slow, where time is judged, and only there', () => {
    const kinds = (['rate', 'consecutive'] as const).map((rule) => {
      const stage = new FleetStage({ rule, slowCallMs: 5_000 });
      stage.told(stage.trip()).pass(RESET_MS).look();
      stage.settle(stage.probe(), 'success', 5_000).store.answerAll();
      return stage.entry().state.kind;
    });

    expect(kinds).toEqual(['OPEN', 'HALF_OPEN']);
  });

  it('makes way for the next when it says nothing', () => {
    const stage = rested();
    stage.settle(stage.probe(), 'neutral').store.answerAll();

    expect(writes(stage)).toEqual(['CLAIM', 'ABANDON']);
    expect(stage.entry().state).toMatchObject({ kind: 'HALF_OPEN', successes: 0, probe: undefined });
    expect(stage.probe().held.id).toBe('me-2');
  });

  it('is told again until the store has it, with no other probe meanwhile', () => {
    const stage = rested();
    stage.settle(stage.probe(), 'success').loseCall();
    expect(stage.breaker.mayProbe()).toBe(false);
    stage.breaker.wake();
    stage.loseAnswer().breaker.wake();
    stage.store.answerAll();

    expect(writes(stage)).toEqual(['CLAIM', 'SETTLE', 'SETTLE', 'SETTLE']);
    expect(stage.entry().state).toMatchObject({ successes: 1 });
    expect(stage.breaker.mayProbe()).toBe(true);
  });

  it('is not told twice at once', () => {
    const stage = rested();
    stage.settle(stage.probe(), 'success').breaker.wake();

    expect(writes(stage)).toEqual(['CLAIM', 'SETTLE']);
  });

  it('is told no more when the lease is over', () => {
    const stage = rested();
    const ticket = stage.probe();
    stage.pass(LEASE_MS).settle(ticket, 'success').breaker.wake();

    expect(writes(stage)).toEqual(['CLAIM']);
  });

  it('does nothing when another has taken the probe over', () => {
    const stage = rested();
    const ticket = stage.probe();
    stage.put(stage.claim('p2')).settle(ticket, 'failure').store.answerAll();

    expect(stage.entry().state).toMatchObject({ kind: 'HALF_OPEN', epoch: 1, probe: { id: 'p2' } });
  });
});

describe('a probe of another', () => {
  it('is taken over when nothing has changed for its lease, by the own clock of who takes over', () => {
    const stage = rested();
    stage
      .told(stage.claim('p1'))
      .pass(LEASE_MS - 1)
      .look();
    expect(stage.breaker.mayProbe()).toBe(false);

    stage.pass(1).look();

    expect(stage.breaker.mayProbe()).toBe(true);
    expect(stage.probe().held.id).toBe('me-1');
    expect(stage.entry().state).toMatchObject({ claims: 2 });
  });

  it('is not taken over earlier for what the clock of its owner says', () => {
    const stage = rested();
    const { state } = stage.entry();
    if (state.kind !== 'OPEN') throw new Error('it is not open');
    const probe = { id: 'p1', owner: 'other', leaseMs: LEASE_MS };
    stage.told(claim(BREAKER, state, { probe, now: stage.clock.wall() - 1_000_000 }));

    expect(stage.breaker.mayProbe()).toBe(false);
  });

  it('that follows another begins to be watched anew', () => {
    const stage = rested();
    stage.told(stage.claim('p1')).pass(LEASE_MS - 1);
    stage
      .told(stage.claim('p2'))
      .pass(LEASE_MS - 1)
      .look();

    expect(stage.breaker.mayProbe()).toBe(false);
  });
});

describe('a free probe', () => {
  it('is tried for as soon as the opening is over by wall clock, also by who comes when it is', () => {
    const stage = new FleetStage();
    stage.chance = 0.5;
    stage.put(stage.trip()).pass(RESET_MS + 499);
    stage.told(stage.count(3));
    expect(stage.breaker.mayProbe()).toBe(false);

    stage.pass(1);

    expect(stage.breaker.mayProbe()).toBe(true);
  });

  it('is tried for when this instance has seen it open for long enough, however wrong the other clock is', () => {
    const stage = new FleetStage();
    stage.clock.wallMs += 1_000_000;
    const ahead = stage.trip();
    stage.clock.wallMs -= 1_000_000;
    stage
      .told(stage.count(3), ahead)
      .pass(RESET_MS - 1)
      .look();
    expect(stage.breaker.mayProbe()).toBe(false);

    stage.pass(1);

    expect(stage.breaker.mayProbe()).toBe(true);
  });

  it('is tried for by about ten instances in a second, drawn anew each second', () => {
    const stage = new FleetStage();
    stage.told(stage.count(100)).told(stage.trip()).pass(RESET_MS).told(stage.count(100));
    stage.chance = 0.1;
    stage.pass(1_000);
    expect(stage.breaker.mayProbe()).toBe(false);
    stage.chance = 0.09;
    expect(stage.breaker.mayProbe()).toBe(false);

    stage.pass(1_000);

    expect(stage.breaker.mayProbe()).toBe(true);
  });
});
