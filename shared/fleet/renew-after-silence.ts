/** After a shorter silence the instance has hardly been frozen, and its connections are still there. */
const SILENCE_MS = 10_000;

/**
 * Lets go of connections that may have slept through a freeze, before a request finds them dead: for an instance that holds no models,
 * where nothing else watches for that.
 * @param clock wall clock, ms since the epoch
 */
export function renewAfterSilence(
  stores: { renewConnections(): void },
  clock: { now(): number },
): { /** A request begins. */ wake(): void } {
  let wokenAt = clock.now();
  return {
    wake() {
      const now = clock.now();
      if (now < wokenAt || now - wokenAt > SILENCE_MS) stores.renewConnections();
      wokenAt = now;
    },
  };
}
