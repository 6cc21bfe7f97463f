import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import { guardFleet } from '../../shared/fleet/breaker/fleet-guard.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import type { Race } from './fleet-race-run.ts';

export const RACED_BREAKER = 'translate raced@1';
/** The race is over when so many probes have failed, each of which opens the breaker anew. */
export const LAST_EPOCH = 12;

/** One call that reached the model. Wall clock ms. */
export interface RacedProbe {
  readonly epoch: number;
  readonly from: number;
  readonly until: number;
}

/** All ask, as often as they can, for a model that is open for the fleet and goes on failing. */
export const raceForProbes: Race = async ({ me, table, tell }) => {
  const clock = createBreakerClock(Date.now);
  const ignore = () => {};
  const fleet = new FleetBreakers({
    instance: me,
    local: new Breakers(clock, ignore),
    table,
    clock,
    random: Math.random,
    newId: randomUUID,
    ttlMs: 100,
    onTransition: ignore,
  });
  const breaker = fleet.get(RACED_BREAKER, breakerSettings({ resetMs: 30, halfOpenSuccesses: 1 }));
  await new Promise<boolean>((resolve) => fleet.look(resolve));
  while (breaker.epoch < LAST_EPOCH) {
    fleet.wake();
    await guardFleet(
      breaker,
      async () => {
        const { epoch } = breaker;
        const from = Date.now();
        await delay(20);
        tell(JSON.stringify({ epoch, from, until: Date.now() } satisfies RacedProbe));
        throw new Error('it fails');
      },
      () => 'failure',
    ).catch(ignore);
    await delay(2);
  }
};
