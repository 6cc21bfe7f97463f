import { setTimeout as delay } from 'node:timers/promises';
import { FleetLoadPermits } from '../../shared/fleet/permits/fleet-load-permits.ts';
import { permitTimes } from '../../shared/fleet/permits/permit-ground.ts';
import { afterMs } from '../../shared/fleet/snapshot-writer.ts';
import { systemReadings } from '../../shared/host/awake-clock.ts';
import type { LoadPermit } from '../../shared/host/load-permits.ts';
import type { Race } from './fleet-race-run.ts';

export const PERMITS = 2;
/** Loads of each process. */
export const LOADS = 8;
export const RACED_MODEL = 'raced-model';

/** A load, from when its permit was granted until just before it was given back. Wall clock ms. */
export interface RacedLoad {
  readonly from: number;
  readonly until: number;
}

/** All load one model again and again, each time with one of two permits. */
export const raceForPermits: Race = async ({ me, table, tell }) => {
  const permits = new FleetLoadPermits({
    table,
    clock: systemReadings,
    after: afterMs,
    random: Math.random,
    owner: me,
    permits: PERMITS,
    // Nobody dies here, and nobody is to wait long.
    times: { ...permitTimes, pollMs: 10, longestPollMs: 40, retryMs: 10, contentionMs: 20, awayMs: 60_000 },
  });
  for (let load = 0; load < LOADS; load++) {
    const permit = await granted(permits);
    const from = Date.now();
    await delay(5 + Math.random() * 20);
    const until = Date.now();
    permit.release();
    tell(JSON.stringify({ from, until } satisfies RacedLoad));
    // Timers of this project keep no process alive.
    await delay(20);
  }
  // What is still to be given back is given back.
  await delay(500);
};

function granted(permits: FleetLoadPermits): Promise<LoadPermit> {
  return new Promise((resolve, reject) => {
    const alive = setInterval(() => permits.wake(), 50);
    const permit = permits.seek(RACED_MODEL, {
      granted(grant) {
        clearInterval(alive);
        if (grant === 'permit') queueMicrotask(() => resolve(permit));
        else reject(new Error('the store seemed to be away'));
      },
      lost: () => reject(new Error('a permit was lost though nobody was frozen')),
    });
  });
}
