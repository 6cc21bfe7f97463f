import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPollMs } from '../../functions/control/dashboard/page/read/poll-schedule.ts';
import { type Outcome, Poller } from '../../functions/control/dashboard/page/read/poller.ts';

const read: Outcome = { kind: 'read' };
const failed: Outcome = { kind: 'failed', retryAfterMs: 0 };

/** The real poller, with a clock and answers by hand. */
function stage() {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const readings: { signal: AbortSignal; end: (outcome: Outcome) => void }[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  const situation = { isBusy: false, isHidden: false };
  const poller = new Poller({
    read: (signal) =>
      new Promise((resolve) => {
        underWay += 1;
        signal.addEventListener('abort', () => {
          underWay -= 1;
        });
        mostAtOnce = Math.max(mostAtOnce, underWay);
        const end = (outcome: Outcome) => {
          if (!signal.aborted) underWay -= 1;
          resolve(outcome);
        };
        readings.push({ signal, end });
      }),
    situation: () => situation,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    now: () => now,
    random: () => 1,
  });
  return {
    poller,
    situation,
    readings,
    mostAtOnce: () => mostAtOnce,
    timers: () => timers.length,
    async end(outcome: Outcome, place = readings.length - 1) {
      readings[place]?.end(outcome);
      await new Promise((resolve) => setImmediate(resolve));
    },
    pass(ms: number) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { run } of due) run();
    },
  };
}

describe('the time to the next reading', () => {
  const calm = { failures: 0, retryAfterMs: 0, isBusy: false, isHidden: false };

  it('is 5 s, 2 s while something happens, and 30 s where nobody looks', () => {
    expect(nextPollMs(calm, 0.5)).toBe(5_000);
    expect(nextPollMs({ ...calm, isBusy: true }, 0.5)).toBe(2_000);
    expect(nextPollMs({ ...calm, isBusy: true, isHidden: true }, 0.5)).toBe(30_000);
  });

  it('doubles with each failure up to a minute, less up to half of it by chance, and never before the service asks', () => {
    const waits = [1, 2, 3, 6, 7, 500].map((failures) => nextPollMs({ ...calm, failures }, 1));
    expect(waits).toEqual([2_000, 4_000, 8_000, 60_000, 60_000, 60_000]);
    expect(nextPollMs({ ...calm, failures: 3 }, 0)).toBe(4_000);
    expect(nextPollMs({ ...calm, failures: 1, retryAfterMs: 45_000 }, 0)).toBe(45_000);
    expect(nextPollMs({ ...calm, failures: 1, isHidden: true }, 0)).toBe(30_000);
  });
});

describe('the poller', () => {
  it('reads one at a time, whatever happens in which order', async () => {
    const step = fc.constantFrom('now', 'restart', 'read', 'failed', 'pass', 'busy', 'hide', 'show');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { poller, situation, end, pass, mostAtOnce, timers, readings } = stage();
        poller.restart();
        for (const one of steps) {
          if (one === 'now') poller.readNow();
          if (one === 'restart') poller.restart();
          if (one === 'read') await end(read);
          if (one === 'failed') await end(failed);
          if (one === 'pass') pass(10_000);
          if (one === 'busy') situation.isBusy = !situation.isBusy;
          if (one === 'hide') situation.isHidden = true;
          if (one === 'show') {
            situation.isHidden = false;
            poller.reconsider();
          }
          expect(timers()).toBeLessThanOrEqual(1);
        }
        expect(mostAtOnce()).toBe(1);
        // It never stops: what is under way ends, and there is a next one.
        await end(read);
        pass(60_000);
        const before = readings.length;
        await end(read);
        pass(60_000);
        expect(readings.length).toBe(before + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('reads again at once what was asked for while a reading was under way', async () => {
    const { poller, readings, end } = stage();
    poller.restart();
    poller.readNow();
    expect(readings).toHaveLength(1);
    await end(read);
    expect(readings).toHaveLength(2);
    await end(read);
    expect(readings).toHaveLength(2);
  });

  it('does not hurry a service that fails', async () => {
    const { poller, readings, end, pass } = stage();
    poller.restart();
    poller.readNow();
    await end(failed);
    expect(readings).toHaveLength(1);
    expect(poller).toMatchObject({ failures: 1, nextInMs: 2_000 });
    pass(2_000);
    await end({ kind: 'failed', retryAfterMs: 20_000 });
    expect(poller).toMatchObject({ failures: 2, nextInMs: 20_000 });
    pass(20_000);
    await end(read);
    expect(poller).toMatchObject({ failures: 0, nextInMs: 5_000 });
  });

  it('asks no more where it needs a key, until there is one; what comes of the former key does not count', async () => {
    const { poller, readings, end, pass, timers } = stage();
    poller.restart();
    await end({ kind: 'locked' });
    poller.readNow();
    pass(600_000);
    expect(readings).toHaveLength(1);
    expect(poller.isLocked).toBe(true);

    poller.restart();
    poller.restart();
    expect(readings.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
    await end({ kind: 'locked' }, 1);
    expect(poller.isLocked).toBe(false);
    await end(read);
    expect(timers()).toBe(1);
  });

  it('looks soon when somebody comes back to it, and no sooner than it would have anyway', async () => {
    const { poller, situation, end, readings, pass } = stage();
    situation.isHidden = true;
    poller.restart();
    await end(read);
    expect(poller.nextInMs).toBe(30_000);
    pass(1_000);
    situation.isHidden = false;
    poller.reconsider();
    expect(poller.nextInMs).toBe(5_000);
    pass(4_000);
    poller.reconsider();
    expect(poller.nextInMs).toBe(1_000);
    pass(1_000);
    expect(readings).toHaveLength(2);
  });
});
