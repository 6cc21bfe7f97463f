import type { ClockReadings } from '../../host/awake-clock.ts';

/** Both readings of one moment, in ms. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

export function momentOf(clock: ClockReadings): Moment {
  return { wall: clock.wall(), monotonic: clock.monotonic() };
}

/** Ms since then at the least: for who waits for another's time to be over. Below 0 when the wall clock was set back. */
export function leastSince({ wall, monotonic }: Moment, clock: ClockReadings): number {
  return Math.min(clock.wall() - wall, clock.monotonic() - monotonic);
}

/** Ms since then at the most: for who must stop before its own time is over. A freeze may stop one clock, not both. */
export function mostSince({ wall, monotonic }: Moment, clock: ClockReadings): number {
  return Math.max(clock.wall() - wall, clock.monotonic() - monotonic);
}
