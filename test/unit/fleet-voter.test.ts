import { describe, expect, it } from 'vitest';
import { instanceShards, shardOf } from '../../shared/fleet/instance-shards.ts';
import { set, type Update } from '../../shared/fleet/table/fleet-table.ts';
import { FleetStage } from '../support/fleet-stage.ts';

/** Bad calls that make a vote where two are a quorum. */
const ENOUGH = 3;

function snapshot(id: string, at: number): Update {
  return { name: 'SNAPSHOT', key: { pk: shardOf(id), sk: id }, condition: undefined, changes: [set(['at'], at)] };
}

/** An instance that knows of so many active ones, and has looked at the digest. */
function among(active: number) {
  const stage = new FleetStage();
  return stage.told(stage.count(active));
}

const writes = (stage: FleetStage) => stage.store.asked.filter((name) => name !== 'READ');

describe('an instance votes', () => {
  it('when enough of its calls have failed, and trips the fleet when it completes the quorum', () => {
    const stage = among(3);
    stage.put(...stage.votes(['other']));
    stage.fail(ENOUGH - 1);
    expect(writes(stage)).toEqual([]);

    stage.fail().store.answerAll();

    expect(writes(stage)).toEqual(['VOTE', 'TRIP']);
    expect(stage.entry().state).toMatchObject({ kind: 'OPEN', epoch: 1, openMs: 300_000 });
    expect(stage.steps).toMatchObject([
      { from: 'CLOSED', to: 'OPEN', epoch: 1, reason: 'enough instances saw it fail' },
    ]);
  });

  it('and trips nobody alone: one bad instance opens its own breaker, however long it goes on', () => {
    const stage = among(3);
    for (let window = 0; window < 20; window++) {
      if (stage.breaker.refuses()) stage.pass(300_000);
      else stage.fail();
      stage.told(stage.count(3)).pass(30_000).breaker.wake();
      stage.store.answerAll();
    }

    expect(writes(stage)).toContain('VOTE');
    expect(stage.entry().state).toEqual({ kind: 'CLOSED', epoch: 0 });
  });

  it('once in an epoch and window, however many of its calls fail', () => {
    const stage = among(3);
    for (let call = 0; call < 4; call++) stage.fail().store.answerAll();

    expect(writes(stage)).toEqual(['VOTE']);
  });

  it('not as long as most of its calls are good', () => {
    const stage = among(3).succeeded(10).fail(3);

    expect(writes(stage)).toEqual([]);
  });

  it('not where it is unknown how many are active, or known for too long', () => {
    expect(writes(new FleetStage().look().fail(5))).toEqual([]);
    expect(writes(among(3).pass(120_001).look().fail(5))).toEqual([]);
  });

  it('for 30 s after a call that failed, and not on what was before', () => {
    const writesAfter = (ms: number) => {
      const stage = new FleetStage().look().fail(5).pass(ms);
      stage.told(stage.count(3)).breaker.wake();
      return writes(stage);
    };

    expect(writesAfter(29_999)).toEqual(['VOTE']);
    expect(writesAfter(30_000)).toEqual([]);
  });

  it('only if it is drawn, once for each window, in a fleet so large that 64 are enough', () => {
    const stage = among(640);
    stage.chance = 0.1;
    stage.fail(4);
    expect(writes(stage)).toEqual([]);
    stage.chance = 0.09;
    stage.fail();
    expect(writes(stage)).toEqual([]);

    stage.pass(20_000).breaker.wake();

    expect(writes(stage)).toEqual(['VOTE']);
  });

  it('again, a second later, when its vote got no answer', () => {
    const stage = among(3).fail(ENOUGH).loseCall();
    stage.breaker.wake();
    stage.pass(999).breaker.wake();
    expect(writes(stage)).toEqual(['VOTE']);

    stage.pass(1).breaker.wake();

    expect(writes(stage)).toEqual(['VOTE', 'VOTE']);
  });
});

describe('a quorum', () => {
  it('is of this window and the one before, so that it does not matter where one ends', () => {
    const stage = among(3);
    stage
      .put(...stage.votes(['other'], 1))
      .fail(ENOUGH)
      .store.answerAll();

    expect(stage.entry().state.kind).toBe('OPEN');
  });

  it('counts who voted in both windows once', () => {
    const stage = among(3);
    stage
      .put(...stage.votes(['me'], 1))
      .fail(ENOUGH)
      .store.answerAll();

    expect(stage.entry().state.kind).toBe('CLOSED');
  });

  it('has no votes of two windows ago, nor of another epoch', () => {
    const stage = among(3);
    stage.put(...stage.votes(['other', 'third'], 2), ...stage.votes(['other', 'third']));
    stage.told(stage.force('FORCED_CLOSED')).told(stage.release()).fail(ENOUGH).store.answerAll();

    expect(writes(stage)).toEqual(['VOTE']);
    expect(stage.entry().state.kind).toBe('CLOSED');
  });

  it('does not trip when the answer is late: an instance that was frozen speaks of what may be over', () => {
    const stage = among(3);
    stage.put(...stage.votes(['other'])).fail(ENOUGH);
    stage.pass(5_000).store.answerAll();

    expect(writes(stage)).toEqual(['VOTE']);
  });

  it('does not trip when what spoke against it is over by now', () => {
    const stage = among(3);
    stage
      .put(...stage.votes(['other']))
      .fail(ENOUGH)
      .succeeded(ENOUGH + 1)
      .store.answerAll();

    expect(writes(stage)).toEqual(['VOTE']);
  });

  it('trips once: whoever comes second is refused, and learns of it', () => {
    const stage = among(3);
    stage.put(...stage.votes(['other'])).fail(ENOUGH);
    stage.answer().put(stage.trip(1_000)).store.answerAll();

    expect(writes(stage)).toEqual(['VOTE', 'TRIP']);
    expect(stage.entry().state).toMatchObject({ epoch: 1, openMs: 1_000 });
    expect(stage.breaker.fleetState).toBe('OPEN');
  });

  it('opens for longer what has been open a while ago', () => {
    const stage = among(3);
    stage.told(stage.trip()).told(stage.force('FORCED_CLOSED')).told(stage.release());
    stage
      .put(...stage.votes(['other']))
      .fail(ENOUGH)
      .store.answerAll();

    expect(stage.entry()).toMatchObject({ state: { kind: 'OPEN', openMs: 600_000 }, openings: { count: 2 } });
  });
});

describe('an instance that is counted as the only one', () => {
  it('opens the fleet when its own breaker has opened, and nobody else is found', () => {
    const stage = among(1);
    stage.fail(ENOUGH).store.answerAll();
    expect(writes(stage)).toEqual(['VOTE']);

    stage.fail(2).store.answerAll();

    expect(writes(stage)).toEqual(['VOTE', ...instanceShards.map(() => 'QUERY'), 'TRIP']);
    expect(stage.entry().state.kind).toBe('OPEN');
  });

  it('does not while another has been heard of within a minute, whatever was counted', () => {
    const stage = among(1);
    stage.put(snapshot('me', stage.clock.wall()), snapshot('other', stage.clock.wall() - 60_000));
    stage.fail(5).store.answerAll();

    expect(writes(stage)).not.toContain('TRIP');
  });

  it('does when the others have been silent for longer', () => {
    const stage = among(1);
    stage.put(snapshot('me', stage.clock.wall()), snapshot('other', stage.clock.wall() - 60_001));
    stage.fail(5).store.answerAll();

    expect(stage.entry().state.kind).toBe('OPEN');
  });

  it('does not when it hears so late that it may have been frozen', () => {
    const stage = among(1).fail(ENOUGH);
    stage.store.answerAll();
    stage.fail(2).pass(5_000).store.answerAll();

    expect(writes(stage)).not.toContain('TRIP');
  });

  it('does not where it cannot see who else is there', () => {
    const stage = among(1).fail(5).answer().answer();
    for (const _ of instanceShards.slice(1)) stage.answer();
    stage.loseCall().store.answerAll();

    expect(writes(stage)).toContain('QUERY');
    expect(writes(stage)).not.toContain('TRIP');
  });
});

describe('nobody votes', () => {
  it('against what is open already, or what an operator rules', () => {
    const open = among(3);
    const ticket = open.admitted();
    open.told(open.trip()).settle(ticket, 'failure').breaker.wake();
    expect(writes(open)).toEqual([]);

    const forced = among(3);
    forced.told(forced.force('FORCED_CLOSED')).fail(10).breaker.wake();
    expect(writes(forced)).toEqual([]);
  });

  it('and a healthy fleet writes nothing at all', () => {
    const stage = among(3);
    for (let call = 0; call < 1_000; call++) {
      stage.succeeded().pass(1_000).digest.wake();
      stage.breaker.wake();
      stage.store.answerAll();
    }

    expect(writes(stage)).toEqual([]);
  });
});
