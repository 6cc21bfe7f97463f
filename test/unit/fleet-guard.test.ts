import { expect, it } from 'vitest';
import { BreakerOpenError } from '../../shared/breaker/errors.ts';
import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import { force, release, trip } from '../../shared/fleet/breaker/digest-steps.ts';
import type { FleetBreaker } from '../../shared/fleet/breaker/fleet-breaker.ts';
import { guardFleet } from '../../shared/fleet/breaker/fleet-guard.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { createTestBreakers } from '../support/fleet-breakers.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const name = 'translate m@1';
const resetMs = 20_000;

/** One instance that knows what the table says, at a time that passes by hand. */
async function stage(prepare: (table: VirtualTable, now: number) => void) {
  const time = { now: 1_700_000_000_000 };
  const table = new VirtualTable();
  prepare(table, time.now);
  const { breakers } = createTestBreakers({ now: () => time.now, table });
  const breaker = breakers.get(name, breakerSettings({ resetMs }), 'm@1');
  await new Promise<boolean>((resolve) => breakers.look(resolve));
  return { time, table, breaker };
}

/** For the whole fleet, which is small enough for anybody to try. */
const opened = (table: VirtualTable, now: number) => {
  table.apply(trip(name, { epoch: 0, now, openMs: resetMs, openings: 1 }));
  const count = countActive([[name]], [], now);
  if (count !== undefined) table.apply(count);
};
const answer = async () => 'answer';
const call = (breaker: FleetBreaker) => guardFleet(breaker, answer, () => 'failure');

it('a call to what is open for the fleet is not made: its caller hears why and when to come back', async () => {
  const { breaker } = await stage(opened);
  const refused = await call(breaker).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(BreakerOpenError);
  expect(refused).toMatchObject({ state: 'OPEN', model: 'm@1', retryAfterSeconds: 20 });
});

it('a call that becomes the probe is told how long it may take, less than the probe’s lease', async () => {
  const { breaker, time } = await stage(opened);
  time.now += resetMs + 1_000;
  const limits: (number | undefined)[] = [];
  await guardFleet(
    breaker,
    async ({ timeoutMs }) => {
      limits.push(timeoutMs);
    },
    () => 'failure',
  );
  expect(limits).toEqual([48_000]);
});

it('a call that wanted to be the probe, and finds that it is open no more, is made', async () => {
  const { breaker, table, time } = await stage(opened);
  time.now += resetMs + 1_000;
  table.apply(force(name, { kind: 'FORCED_CLOSED', by: 'ops', why: 'mended', until: time.now }, { epoch: 1, now: 0 }));
  table.apply(release(name, { epoch: 2 }));
  expect(breaker.fleetState).toBe('OPEN');

  expect(await call(breaker)).toBe('answer');
  expect(breaker.fleetState).toBe('CLOSED');
});
