import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { transitions } from '../../shared/breaker/breaker-state.ts';
import { BreakerStage } from '../support/breaker-stage.ts';

const hour = 3_600_000;

describe('a closed breaker', () => {
  it('lets every call through, all on one ticket, so that a healthy call makes nothing', () => {
    const stage = new BreakerStage();

    const tickets = new Set(Array.from({ length: 100 }, () => stage.admitted()));

    expect(tickets.size).toBe(1);
    expect(stage.breaker.refuses()).toBe(false);
  });

  it('opens at the fifth failure in a row, and tells why', () => {
    const stage = new BreakerStage();
    stage.fail(4);
    expect(stage.state()).toBe('CLOSED');

    stage.fail();

    expect(stage.steps).toEqual([
      { breaker: 'translate m@1', from: 'CLOSED', to: 'OPEN', reason: '5 calls in a row failed' },
    ]);
    expect(stage.breaker.report()).toMatchObject({ state: 'OPEN', failures: 5, since: stage.clock.wall() });
  });

  it('begins to count anew with each success, however slow', () => {
    const stage = new BreakerStage();

    for (let round = 0; round < 10; round++) {
      stage.fail(4);
      stage.succeed(hour);
    }

    expect(stage.steps).toEqual([]);
    expect(stage.breaker.report().failures).toBe(0);
  });

  it('does not count what says nothing, neither as failure nor as success', () => {
    const stage = new BreakerStage();
    const neutral = () => stage.breaker.settle(stage.admitted(), 'neutral', hour);
    stage.fail(4);

    for (let time = 0; time < 10; time++) neutral();
    expect(stage.state()).toBe('CLOSED');
    stage.fail();

    expect(stage.state()).toBe('OPEN');
  });

  it('counts failures of calls that were under way together, each of them', () => {
    const stage = new BreakerStage();
    const tickets = Array.from({ length: 5 }, () => stage.admitted());

    for (const ticket of tickets) stage.breaker.settle(ticket, 'failure', 0);

    expect(stage.state()).toBe('OPEN');
  });
});

describe('the rule of rates', () => {
  const rate = { rule: 'rate', minimumCalls: 10, failureRatePercent: 50, slowCallRatePercent: 80 } as const;

  it('opens when half of at least ten calls failed', () => {
    const stage = new BreakerStage(rate);
    for (let call = 0; call < 5; call++) stage.succeed();

    stage.fail(4);
    expect(stage.state()).toBe('CLOSED');
    stage.fail();

    expect(stage.steps.at(-1)?.reason).toBe('5 of 10 calls failed');
  });

  it('waits for the minimum of calls, even where all of them failed', () => {
    const stage = new BreakerStage(rate);
    stage.fail(9);
    expect(stage.state()).toBe('CLOSED');

    stage.fail();

    expect(stage.state()).toBe('OPEN');
  });

  it('does not open with a success, even one that completes the minimum', () => {
    const stage = new BreakerStage(rate);
    stage.fail(9);

    stage.succeed();

    expect(stage.state()).toBe('CLOSED');
  });

  it('opens when four fifths of the calls were slow though none failed', () => {
    const stage = new BreakerStage(rate);
    for (let call = 0; call < 2; call++) stage.succeed(stage.settings.slowCallMs - 1);

    for (let call = 0; call < 7; call++) stage.succeed(stage.settings.slowCallMs);
    expect(stage.state()).toBe('CLOSED');
    stage.succeed(stage.settings.slowCallMs);

    expect(stage.steps.at(-1)?.reason).toBe('8 of 10 calls were slow');
  });

  it('forgets what is older than the window, bit by bit', () => {
    const stage = new BreakerStage({ ...rate, windowMs: 60_000 });
    stage.fail(5);
    stage.clock.pass(30_000);
    stage.fail(4);
    expect(stage.breaker.report().failures).toBe(9);

    stage.clock.pass(30_000);
    expect(stage.breaker.report().failures).toBe(4);
    stage.fail();
    expect(stage.state()).toBe('CLOSED');
    stage.clock.pass(hour);

    expect(stage.breaker.report().failures).toBe(0);
  });

  it('opens again after a slow probe', () => {
    const stage = new BreakerStage(rate);
    stage.fail(10);
    stage.clock.pass(stage.settings.resetMs);

    stage.succeed(stage.settings.slowCallMs);

    expect(stage.steps.at(-1)).toMatchObject({ to: 'OPEN', reason: 'the probe was slow' });
  });
});

describe('an open breaker', () => {
  it('refuses every call until its time is over, and says when that is', () => {
    const stage = new BreakerStage().opened();
    stage.clock.pass(stage.settings.resetMs - 1);

    expect(stage.breaker.refuses()).toBe(true);
    expect(stage.isRefused()).toBe(true);
    expect(stage.breaker.report().nextProbeAt).toBe(stage.clock.wall() + 1);

    stage.clock.pass(1);
    expect(stage.breaker.refuses()).toBe(false);
    expect(stage.isRefused()).toBe(false);
  });

  it('drops what comes back from calls that were made before it opened', () => {
    const stage = new BreakerStage();
    const late = Array.from({ length: 10 }, () => stage.admitted());
    stage.opened();

    for (const ticket of late) stage.breaker.settle(ticket, 'success', 0);

    expect(stage.path()).toEqual(['CLOSED>OPEN']);
  });

  it('tells the refused when to come back, all of one second with one object', () => {
    const stage = new BreakerStage().opened();

    const refusal = stage.breaker.refusal();
    expect(refusal).toMatchObject({
      code: 'BREAKER_OPEN',
      retryable: true,
      model: 'm@1',
      state: 'OPEN',
      retryAfterSeconds: 300,
      message: 'the circuit breaker of translate m@1 is OPEN',
    });
    stage.clock.pass(999);
    expect(stage.breaker.refusal()).toBe(refusal);
    stage.clock.pass(1);
    expect(stage.breaker.refusal().retryAfterSeconds).toBe(299);
  });

  it('is not kept open by a clock that is set back again and again', () => {
    const stage = new BreakerStage({ resetMs: 10_000 }).opened();

    for (let second = 0; second < 10; second++) {
      expect(stage.isRefused()).toBe(true);
      stage.clock.wallMs -= hour;
      expect(stage.isRefused()).toBe(true);
      stage.clock.pass(1_000);
    }

    expect(stage.isRefused()).toBe(false);
  });

  it('lets a probe through after a freeze that was longer than its time', () => {
    const stage = new BreakerStage().opened();

    stage.clock.freeze(hour);

    expect(stage.isRefused()).toBe(false);
    expect(stage.state()).toBe('HALF_OPEN');
  });
});

describe('a half-open breaker', () => {
  it('has one probe at a time; others are to come back in a second', () => {
    const stage = new BreakerStage().rested();

    const probe = stage.admitted();
    expect(stage.isRefused()).toBe(true);
    expect(stage.breaker.refuses()).toBe(true);
    expect(stage.breaker.refusal()).toMatchObject({ state: 'HALF_OPEN', retryAfterSeconds: 1 });
    stage.breaker.settle(probe, 'success', 0);

    expect(stage.isRefused()).toBe(false);
  });

  it('lets calls back when two probes have succeeded', () => {
    const stage = new BreakerStage().rested();

    stage.succeed();
    expect(stage.state()).toBe('HALF_OPEN');
    stage.succeed();

    expect(stage.steps.at(-1)).toMatchObject({ to: 'RAMP', reason: '2 probes succeeded' });
  });

  it('opens for another full time when the probe fails, though one before succeeded', () => {
    const stage = new BreakerStage().rested();
    stage.succeed();

    stage.fail();

    expect(stage.steps.at(-1)).toMatchObject({ from: 'HALF_OPEN', to: 'OPEN', reason: 'the probe failed' });
    stage.clock.pass(stage.settings.resetMs - 1);
    expect(stage.isRefused()).toBe(true);
    stage.clock.pass(1);
    expect(stage.isRefused()).toBe(false);
  });

  it('takes another probe at once when one says nothing', () => {
    const stage = new BreakerStage().rested();

    for (let time = 0; time < 10; time++) stage.breaker.settle(stage.admitted(), 'neutral', 0);

    expect(stage.state()).toBe('HALF_OPEN');
    expect(stage.isRefused()).toBe(false);
  });

  it('replaces a probe that never reports after its lease, and drops what it says then', () => {
    const stage = new BreakerStage().rested();
    const lost = stage.admitted();
    stage.clock.pass(stage.settings.probeLeaseMs - 1);
    expect(stage.isRefused()).toBe(true);
    expect(stage.breaker.report().nextProbeAt).toBe(stage.clock.wall() + 1);

    stage.clock.pass(1);
    const probe = stage.admitted();
    stage.breaker.settle(lost, 'failure', 0);
    expect(stage.state()).toBe('HALF_OPEN');
    expect(stage.isRefused()).toBe(true);
    stage.breaker.settle(probe, 'success', 0);

    expect(stage.isRefused()).toBe(false);
  });

  it('drops results of calls from before the trip: they are no probes', () => {
    const stage = new BreakerStage();
    const late = stage.admitted();
    stage.rested();
    stage.admitted();

    for (let time = 0; time < 10; time++) stage.breaker.settle(late, 'success', 0);
    stage.breaker.settle(late, 'failure', 0);

    expect(stage.state()).toBe('HALF_OPEN');
    expect(stage.isRefused()).toBe(true);
  });

  it('closes at once where there is no ramp', () => {
    const stage = new BreakerStage({ rampMs: 0, halfOpenSuccesses: 1 }).recovered();

    expect(stage.path()).toEqual(['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>CLOSED']);
    expect(stage.breaker.report().failures).toBe(0);
  });
});

describe('a ramp', () => {
  const admittedOf100 = (stage: BreakerStage) =>
    Array.from({ length: 100 }, () => stage.isRefused()).filter((refused) => !refused).length;

  it('lets 10, 25, 50 and 100 % through, a quarter of its time each, and closes then', () => {
    const stage = new BreakerStage({ rampMs: 20_000 }).recovered();

    const shares = [0, 1, 2, 3].map(() => {
      const share = admittedOf100(stage);
      stage.clock.pass(5_000);
      return share;
    });

    expect(shares[0]).toBe(10);
    expect(Math.abs((shares[1] ?? 0) - 25)).toBeLessThanOrEqual(1);
    expect(Math.abs((shares[2] ?? 0) - 50)).toBeLessThanOrEqual(1);
    expect(shares[3]).toBeGreaterThanOrEqual(99);
    expect(stage.state()).toBe('CLOSED');
  });

  it('lets the first call through, and tells the refused when more will go', () => {
    const stage = new BreakerStage({ rampMs: 20_000 }).recovered();

    stage.succeed();
    stage.clock.pass(1_000);

    expect(stage.isRefused()).toBe(true);
    expect(stage.breaker.refusal()).toMatchObject({ state: 'RAMP', retryAfterSeconds: 4 });
  });

  it('opens again by the same rule', () => {
    const stage = new BreakerStage({ rampMs: 20_000 }).recovered();
    stage.clock.pass(15_000);

    stage.fail(5);

    expect(stage.path().at(-1)).toBe('RAMP>OPEN');
  });

  it('forgets what was before it: an old failure, or an old result, does not count', () => {
    const stage = new BreakerStage({ rampMs: 20_000 });
    const late = stage.admitted();
    stage.recovered().clock.pass(15_000);

    stage.fail(4);
    stage.breaker.settle(late, 'failure', 0);

    expect(stage.state()).toBe('RAMP');
  });

  it('goes on into CLOSED with what it has counted', () => {
    const stage = new BreakerStage({ rampMs: 20_000 }).recovered();
    stage.clock.pass(15_000);
    stage.fail(4);
    stage.clock.pass(5_000);

    stage.fail();

    expect(stage.path().slice(-2)).toEqual(['RAMP>CLOSED', 'CLOSED>OPEN']);
  });
});

it('docs/breaker.md has every state and every step between', () => {
  const docs = readFileSync(new URL('../../docs/breaker.md', import.meta.url), 'utf8');
  const rows = [...docs.matchAll(/^\| `(\w+)` +\| `(\w+)` +\|/gm)].map(([, from, to]) => `${from}>${to}`);

  const known = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from}>${to}`));

  expect(rows.toSorted()).toEqual(known.toSorted());
});
