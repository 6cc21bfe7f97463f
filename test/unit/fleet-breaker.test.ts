import { describe, expect, it } from 'vitest';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import { ProbeTicket } from '../../shared/fleet/breaker/prober.ts';
import { FleetStage, TTL_MS } from '../support/fleet-stage.ts';

const RESET_MS = 300_000;
const RAMP_MS = 20_000;
const BLIND_MS = 60_001;

function stage(changes: Partial<CircuitBreakerSettings> = {}) {
  const made = new FleetStage(changes);
  return made.told(made.count(3));
}

/** At the begin of the ramp, as another instance brought it about. */
function ramping(changes: Partial<CircuitBreakerSettings> = {}) {
  const made = stage(changes);
  made.told(made.trip()).told(made.claim('p1'));
  return made.told(made.succeed('p1'));
}

const writes = ({ store }: FleetStage) => store.asked.filter((name) => name !== 'READ');
const path = ({ steps }: FleetStage) => steps.map(({ from, to }) => `${from}>${to}`);

describe('while the fleet says nothing', () => {
  it('the own breaker decides, with its own refusals', () => {
    const one = stage();
    one.fail(5);

    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.refusal().message).toBe('the circuit breaker of translate m@1 is OPEN');
    expect(one.breaker.mayProbe()).toBe(false);
    expect(one.breaker.report()).toMatchObject({ state: 'OPEN', epoch: 0 });
    expect(one.breaker.report().isFleetWide).toBeUndefined();
  });

  it('all calls share one ticket, which costs nothing', () => {
    const one = stage();

    expect(new Set([one.admitted(), one.admitted(), one.admitted()]).size).toBe(1);
  });

  it('one failed call has the fleet looked at, though it is no evidence yet', () => {
    const one = stage();
    one.succeeded(9).pass(2_000);
    const before = one.store.asked.length;
    one.fail();

    expect(one.store.asked.slice(before)).toEqual(['READ']);
  });

  it('what is not known is CLOSED, where nobody has ever answered', () => {
    expect(new FleetStage().breaker.admit()).toBeDefined();
  });
});

describe('open for the fleet', () => {
  it('is open here, though no call of this instance ever failed', () => {
    const one = stage();
    one.told(one.trip());

    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.refuses()).toBe(true);
    expect(one.steps).toEqual([
      {
        breaker: 'translate m@1',
        from: 'CLOSED',
        to: 'OPEN',
        reason: 'enough instances saw it fail',
        epoch: 1,
      },
    ]);
    expect(one.breaker.report()).toMatchObject({
      state: 'OPEN',
      epoch: 1,
      isFleetWide: true,
      since: one.clock.wall(),
      nextProbeAt: one.clock.wall() + RESET_MS,
    });
  });

  it('is told to come back when the first probe may be made', () => {
    const one = stage();
    one.told(one.trip()).pass(1_000);

    expect(one.breaker.refusal()).toMatchObject({
      message: 'the circuit breaker of translate m@1 is OPEN for the whole fleet',
      state: 'OPEN',
      retryAfterSeconds: 299,
    });
    expect(one.breaker.refusal()).toBe(one.breaker.refusal());
  });

  it('lets one of all instances probe when the time is over; the others are refused, for a second', () => {
    const one = stage();
    one.told(one.trip()).pass(RESET_MS);
    one.told(one.count(3));
    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.refuses()).toBe(false);
    one.told(one.claim('p1'));

    expect(one.breaker.refuses()).toBe(true);
    expect(one.breaker.mayProbe()).toBe(false);
    expect(one.breaker.refusal()).toMatchObject({ state: 'HALF_OPEN', retryAfterSeconds: 1 });
    expect(path(one)).toEqual(['CLOSED>OPEN', 'OPEN>HALF_OPEN']);
  });

  it('is not made older by a view that is: what was read before does not come back', () => {
    const one = stage();
    const before = one.digest.item;
    one.told(one.trip());
    one.digest.adopt(before, one.clock.awake());

    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.epoch).toBe(1);
  });
});

describe('the ramp', () => {
  it('lets a tenth of the calls through at first, then more, then all', () => {
    const one = ramping();
    const through = () => Array.from({ length: 100 }, () => one.breaker.admit()).filter(Boolean).length;
    const shares = [0, 1, 2, 3].map(() => {
      const share = through();
      one.pass(RAMP_MS / 4);
      return share;
    });

    // The first of each quarter may be one that the quarter before owed.
    expect(shares[0]).toBeCloseTo(10, -1);
    expect(shares[1]).toBeCloseTo(25, -1);
    expect(shares[2]).toBeCloseTo(50, -1);
    expect(shares[3]).toBe(100);
  });

  it('tells the refused when more go through', () => {
    const one = ramping();
    one.admitted();

    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.refusal()).toMatchObject({ state: 'RAMP', retryAfterSeconds: 5 });
  });

  it('is closed for the fleet by a request after its end, with one write, however many requests come', () => {
    const one = ramping();
    one.pass(RAMP_MS - 1).breaker.wake();
    expect(writes(one)).toEqual([]);
    one.pass(1);
    for (let request = 0; request < 5; request++) one.breaker.wake();
    expect(writes(one)).toEqual(['CLOSE']);

    one.store.answerAll();

    expect(one.entry().state).toEqual({ kind: 'CLOSED', epoch: 1 });
    expect(path(one)).toEqual(['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>RAMP', 'RAMP>CLOSED']);
  });

  it('is closed by a later request where the write was lost', () => {
    const one = ramping();
    one.pass(RAMP_MS).breaker.wake();
    one.loseCall().breaker.wake();
    one.store.answerAll();

    expect(one.entry().state.kind).toBe('CLOSED');
  });

  it('needs nobody to close it: when it is over, all calls go through', () => {
    const one = ramping();
    one.pass(RAMP_MS);

    expect(Array.from({ length: 20 }, () => one.breaker.admit()).filter(Boolean)).toHaveLength(20);
    expect(one.breaker.report().state).toBe('CLOSED');
  });

  it('without a length lets all calls through at once, and tells nobody to come back at no time', () => {
    const one = new FleetStage({ rampMs: 0 });
    one.told(one.trip()).told(one.claim('p1'));
    one.told(one.succeed('p1'));

    expect(one.breaker.refusal().retryAfterSeconds).toBe(1);
    expect(Array.from({ length: 20 }, () => one.breaker.admit()).filter(Boolean)).toHaveLength(20);
    one.breaker.wake();
    expect(writes(one)).toEqual(['CLOSE']);
  });

  it('opens again by the votes of a quorum, in a new epoch', () => {
    const one = ramping();
    one.put(...one.votes(['other']));
    for (let call = 0; call < 30; call++) {
      const ticket = one.breaker.admit();
      if (ticket !== undefined) one.settle(ticket, 'failure');
    }
    one.store.answerAll();

    expect(one.entry().state).toMatchObject({ kind: 'OPEN', epoch: 2 });
  });
});

describe('a new epoch, and the begin of the ramp,', () => {
  it.each(['a new epoch', 'the ramp'])('make a result of before change nothing: %s', (which) => {
    const one = stage();
    const { failureThreshold } = one.settings;
    const early = one.admitted();
    one.fail(failureThreshold - 1);
    one.told(one.trip());
    if (which === 'a new epoch') one.told(one.force('FORCED_CLOSED')).told(one.release());
    else {
      one.told(one.claim('p1'));
      one.told(one.succeed('p1'));
    }
    one.store.asked.length = 0;
    const before = one.breaker.report();
    for (let call = 0; call < 10; call++) one.settle(early, 'failure');

    expect(one.breaker.report()).toEqual(before);
    expect(before.failures).toBe(0);
    expect(writes(one)).toEqual([]);
  });

  it('make a call that was tried while the store was away change nothing', () => {
    const one = stage();
    one.told(one.trip(1_000)).pass(BLIND_MS);
    const early = one.admitted();
    one.told(one.claim('p1'));
    one.told(one.succeed('p1')).settle(early, 'failure');

    expect(one.breaker.report()).toMatchObject({ state: 'RAMP', failures: 0 });
  });

  it('begin the evidence of this instance anew: what failed before makes no vote', () => {
    const one = stage().fail(2);
    one.told(one.force('FORCED_CLOSED')).told(one.release()).fail(2);
    expect(writes(one)).toEqual([]);

    one.fail();

    expect(writes(one)).toEqual(['VOTE']);
  });

  it('close the own breaker, which knows less', () => {
    const one = stage().fail(5);
    expect(one.breaker.admit()).toBeUndefined();
    one.told(one.trip());
    one.told(one.force('FORCED_CLOSED')).told(one.release());

    expect(one.breaker.admit()).toBeDefined();
  });

  it('and the end of the ramp does not: what was counted in it goes on', () => {
    const one = ramping();
    one.pass(0.75 * RAMP_MS).fail(4);
    one
      .pass(0.25 * RAMP_MS)
      .told(one.close())
      .fail();

    expect(one.breaker.report()).toMatchObject({ state: 'OPEN', failures: 5 });
  });
});

describe('an operator', () => {
  it('forces it open: everything is refused, and told until when', () => {
    const one = stage();
    one.told(one.force('FORCED_OPEN'));

    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.mayProbe()).toBe(false);
    expect(one.breaker.refusal()).toMatchObject({
      message: 'the circuit breaker of translate m@1 is OPEN, by an operator',
      retryAfterSeconds: 60,
    });
    expect(one.steps.at(-1)).toMatchObject({ from: 'CLOSED', to: 'OPEN', reason: 'ops forced it: a test' });
  });

  it('forces it closed: everything goes through, whatever comes of it', () => {
    const one = stage();
    one.told(one.force('FORCED_CLOSED')).fail(50);

    expect(one.breaker.admit()).toBeDefined();
    expect(one.breaker.report().failures).toBe(0);
    expect(writes(one)).toEqual([]);
  });

  it('is not heard any more when the time is over: the own breaker decides, and the fleet can trip', () => {
    for (const kind of ['FORCED_OPEN', 'FORCED_CLOSED'] as const) {
      const one = stage();
      one.told(one.force(kind)).pass(60_000);
      one
        .put(...one.votes(['other']))
        .fail(3)
        .store.answerAll();

      expect(one.entry().state).toMatchObject({ kind: 'OPEN', epoch: 2 });
    }
  });

  it('is heard again when the clock was set back: nobody votes against the word', () => {
    const one = stage();
    one.told(one.force('FORCED_CLOSED')).pass(60_000).look().fail(3).loseCall();
    one.clock.wallMs -= 30_000;
    one.breaker.wake();
    one.pass(1_000).breaker.wake();

    expect(writes(one)).toEqual(['VOTE']);
  });

  it('takes the word back: closed, at once', () => {
    const one = stage();
    one.told(one.force('FORCED_OPEN')).told(one.release());

    expect(one.breaker.admit()).toBeDefined();
    expect(one.steps.at(-1)).toMatchObject({ to: 'CLOSED', reason: 'an operator released it' });
  });

  it('is heard for as long as the word lasts, though the store has been away for long', () => {
    const one = stage();
    one.told(one.force('FORCED_OPEN', 600_000)).pass(599_999);
    expect(one.breaker.admit()).toBeUndefined();

    one.pass(1);

    expect(one.breaker.admit()).toBeDefined();
  });
});

describe('while the store is away', () => {
  /** Blind, since more than a minute; all that it was told is that it was opened for so many ms. */
  const blind = (openMs: number) => {
    const one = stage();
    return one.told(one.trip(openMs)).pass(BLIND_MS);
  };

  it('what is known holds for a minute, and nobody tries', () => {
    const one = stage();
    one.told(one.trip(1_000)).pass(60_000);

    expect(one.breaker.admit()).toBeUndefined();
  });

  it('what is open stays so until its time is over', () => {
    const one = blind(RESET_MS);
    expect(one.breaker.admit()).toBeUndefined();

    one.pass(RESET_MS - BLIND_MS);

    expect(one.breaker.admit()).toBeDefined();
  });

  it('each tries one call in the time of a look, if it is drawn: about one of all instances', () => {
    const one = blind(1_000);
    one.chance = 1 / 3;
    expect(one.breaker.refuses()).toBe(true);
    one.chance = 0.33;
    expect(one.breaker.refuses()).toBe(true);
    one.pass(TTL_MS);
    expect(one.breaker.refuses()).toBe(false);
    expect(one.breaker.admit()).toBeDefined();
    expect(one.breaker.admit()).toBeUndefined();

    one.pass(TTL_MS);

    expect(one.breaker.admit()).toBeDefined();
  });

  it('as many successes as are needed let the own breaker decide, until the store is there again', () => {
    const one = blind(1_000);
    one.succeeded().pass(TTL_MS).succeeded();
    expect(Array.from({ length: 10 }, () => one.breaker.admit()).filter(Boolean)).toHaveLength(10);

    one.look();
    expect(one.breaker.admit()).toBeUndefined();
    expect(one.breaker.mayProbe()).toBe(true);

    // And when it is away again, they are to succeed anew.
    one.pass(BLIND_MS);
    expect(Array.from({ length: 10 }, () => one.breaker.admit()).filter(Boolean)).toHaveLength(1);
  });

  it('a try that fails is no vote against what is open already', () => {
    const one = blind(1_000);
    for (let call = 0; call < 4; call++) one.fail().pass(TTL_MS);

    expect(writes(one)).toEqual([]);
  });

  it('a ramp that nobody can be told of is over', () => {
    const one = ramping({ rampMs: 10 * BLIND_MS });
    one.pass(BLIND_MS);

    expect(Array.from({ length: 10 }, () => one.breaker.admit()).filter(Boolean)).toHaveLength(10);
  });
});

it('a probe is not counted by the own breaker, and holds a ticket of its own', () => {
  const one = stage();
  one.told(one.trip()).pass(RESET_MS).look();
  const ticket = one.probe();
  one.settle(ticket, 'failure').store.answerAll();

  expect(ticket).toBeInstanceOf(ProbeTicket);
  expect(one.breaker.report()).toMatchObject({ state: 'OPEN', epoch: 2, failures: 0 });
  expect(one.steps.at(-1)?.reason).toBe('a probe failed');
});
