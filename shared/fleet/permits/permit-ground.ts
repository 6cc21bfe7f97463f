import type { ClockReadings } from '../../host/awake-clock.ts';
import type { FleetTable } from '../table/fleet-table.ts';

/** All in ms. */
export interface PermitTimes {
  /** A slot whose record has not changed for so long may be taken over. */
  readonly leaseMs: number;
  /** So much earlier its holder stops trusting itself: for the drift of clocks, and for one that is set back. */
  readonly marginMs: number;
  /** Between two looks of one who waits, at first and at most; half of it up to one and a half times. */
  readonly pollMs: number;
  readonly longestPollMs: number;
  /** Until a call that was not answered is made again, likewise. */
  readonly retryMs: number;
  /** After a write that another was quicker than: at most, at first; twice as much each time, up to `pollMs`. */
  readonly contentionMs: number;
  /** Without an answer, then the store counts as away. */
  readonly awayMs: number;
}

export const permitTimes: PermitTimes = {
  leaseMs: 30_000,
  marginMs: 6_000,
  pollMs: 1_000,
  longestPollMs: 4_000,
  retryMs: 500,
  contentionMs: 200,
  awayMs: 2_000,
};

/** What all parts of this instance's permits stand on. */
export interface PermitGround {
  readonly table: FleetTable;
  readonly clock: ClockReadings;
  /** Calls back once after so many ms. @returns how to call it off */
  readonly after: (ms: number, run: () => void) => () => void;
  /** 0 up to 1. */
  readonly random: () => number;
  /** This instance's id: unique to this start of the process. */
  readonly owner: string;
  /** Permits of each model; what an item says itself goes first. */
  readonly permits: number;
  readonly times: PermitTimes;
}

/** A random time around `ms`: half of it up to one and a half times. */
export function around(ms: number, random: () => number): number {
  return ms * (0.5 + random());
}

/** Ms for which a permit is trusted, from the moment in which its last good renewal was sent. */
export function trustMs({ leaseMs, marginMs }: PermitTimes): number {
  return leaseMs - marginMs;
}
