import { describe, expect, it } from 'vitest';
import { Breaker } from '../../shared/breaker/breaker.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import { guard } from '../../shared/breaker/guard.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { HandClock } from '../support/hand-clock.ts';

const broken = new Error('broken');

function stage() {
  const clock = new HandClock();
  const breaker = new Breaker({
    name: 'b',
    settings: breakerSettings({ failureThreshold: 2 }),
    clock: createBreakerClock(() => clock.wall()),
    onTransition: () => {},
  });
  const judged: number[] = [];
  const judge = (_thrown: unknown, tookMs: number) => {
    judged.push(tookMs);
    return 'failure' as const;
  };
  return { clock, breaker, judged, through: (call: () => Promise<string>) => guard(breaker, call, judge) };
}

describe('a guarded call', () => {
  it('comes back as it is, and is a success', async () => {
    const { breaker, through } = stage();
    await expect(through(() => Promise.reject(broken))).rejects.toBe(broken);

    await expect(through(async () => 'done')).resolves.toBe('done');

    expect(breaker.report().failures).toBe(0);
  });

  it('that fails is told to the breaker, with the time that it took, before its caller hears of it', async () => {
    const { clock, breaker, judged, through } = stage();
    const failuresHeard = await through(async () => {
      await Promise.resolve();
      clock.pass(70);
      throw broken;
    }).catch(() => breaker.report().failures);

    expect(failuresHeard).toBe(1);
    expect(judged).toEqual([70]);
  });

  it('that throws before it has begun is a failed one', async () => {
    const { breaker, through } = stage();
    const call = () => {
      throw broken;
    };

    await expect(through(call)).rejects.toBe(broken);

    expect(breaker.report().failures).toBe(1);
  });

  it('is not made while the breaker is open: its caller hears why', async () => {
    const { through } = stage();
    for (let call = 0; call < 2; call++) await through(() => Promise.reject(broken)).catch(() => {});
    let calls = 0;

    await expect(
      through(async () => {
        calls += 1;
        return 'done';
      }),
    ).rejects.toThrow('the circuit breaker of b is OPEN');

    expect(calls).toBe(0);
  });
});
