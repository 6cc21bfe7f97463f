export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'RAMP';

/** Every step that a breaker may take; docs/breaker.md says when, and a test compares the two. */
export const transitions: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  CLOSED: ['OPEN'],
  OPEN: ['HALF_OPEN'],
  HALF_OPEN: ['OPEN', 'RAMP', 'CLOSED'],
  RAMP: ['OPEN', 'CLOSED'],
};

/** A step that was taken, for the log and for health. */
export interface BreakerTransition {
  readonly breaker: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** In words. */
  readonly reason: string;
  /** Of a step that the whole fleet takes: the epoch that it belongs to. */
  readonly epoch?: number;
}

/** A breaker at this moment, for health. */
export interface BreakerReport {
  readonly name: string;
  readonly state: BreakerState;
  /** Wall clock, ms since the epoch: when this state began. */
  readonly since: number;
  /** Those that count now: in a row or in the window, by the rule; unless it lets calls through, those that opened it. */
  readonly failures: number;
  /** Wall clock, ms since the epoch: from when on a call may be the probe; unless calls go through. */
  readonly nextProbeAt?: number;
  /** Of one that a fleet shares: the epoch that this instance knows. */
  readonly epoch?: number;
  /** Whether this is the state of the whole fleet, not of this instance's calls alone. */
  readonly isFleetWide?: boolean;
}

/** Whether there is nothing to tell of it. */
export function isAtRest({ state, failures }: BreakerReport): boolean {
  return state === 'CLOSED' && failures === 0;
}
