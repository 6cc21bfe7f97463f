/** A shorter time says little, and dividing by it says nonsense. */
const LEAST_MS = 500;

/**
 * Percent of one core that this process took since the last call, or the call before when that is not half a second ago.
 * The time that an instance was frozen counts as idle.
 */
export function createCpuMeter(
  clock: { now(): number },
  usage: () => { user: number; system: number } = () => process.cpuUsage(),
): () => number {
  // µs.
  const spent = () => {
    const { user, system } = usage();
    return user + system;
  };
  let since = clock.now();
  let before = spent();
  let percent = 0;
  return () => {
    const now = clock.now();
    const elapsedMs = now - since;
    // A clock that was set back begins anew.
    if (elapsedMs >= 0 && elapsedMs < LEAST_MS) return percent;
    const after = spent();
    if (elapsedMs > 0) percent = (after - before) / 10 / elapsedMs;
    since = now;
    before = after;
    return percent;
  };
}
