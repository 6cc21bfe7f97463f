import type { FleetBreakers } from './fleet-breakers.ts';

/** The longest that a request waits for a look at the fleet. */
const PATIENCE_MS = 25;

/**
 * Before a request asks a breaker: a new instance, and one that was frozen for long, has a look at the fleet first, for a
 * moment. @returns when it is time to go on; undefined: at once
 */
export function awaitNews(fleet: Pick<FleetBreakers, 'isStale' | 'look'>): Promise<void> | undefined {
  if (!fleet.isStale()) return undefined;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    fleet.look(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
