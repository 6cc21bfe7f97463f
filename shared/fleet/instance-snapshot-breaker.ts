import * as z from 'zod/mini';
import type { BreakerReport, BreakerState } from '../breaker/breaker-state.ts';

/** By their places, which are what is written; one more goes to the end. */
export const breakerStates: readonly BreakerState[] = ['CLOSED', 'OPEN', 'HALF_OPEN', 'RAMP'];

/**
 * One breaker: name, state, its beginning in seconds before the snapshot, failures, next probe in seconds after it, and of one that
 * a fleet shares its epoch and whether this is the fleet's state (0 or 1).
 */
export const breakerRow = z.tuple([
  z.string(),
  z.int().check(z.minimum(0), z.maximum(breakerStates.length - 1)),
  z.int(),
  z.int(),
  z.nullable(z.int()),
  z.nullable(z.int()),
  z.int(),
]);

/** Times become whole seconds, so that they stay the same from snapshot to snapshot. */
export function encodeBreaker(report: BreakerReport, at: number) {
  const { name, state, since, failures, nextProbeAt, epoch = null, isFleetWide = false } = report;
  const now = Math.floor(at / 1000);
  const probe = nextProbeAt === undefined ? null : Math.ceil(nextProbeAt / 1000) - now;
  const age = now - Math.floor(since / 1000);
  return [name, breakerStates.indexOf(state), age, failures, probe, epoch, Number(isFleetWide)];
}

export function decodeBreaker(
  [name, state, age, failures, probe, epoch, isFleetWide]: z.infer<typeof breakerRow>,
  at: number,
): BreakerReport {
  const now = Math.floor(at / 1000);
  return {
    name,
    state: breakerStates[state] ?? 'CLOSED',
    since: (now - age) * 1000,
    failures,
    ...(probe === null ? {} : { nextProbeAt: (now + probe) * 1000 }),
    ...(epoch === null ? {} : { epoch }),
    ...(isFleetWide === 1 ? { isFleetWide: true } : {}),
  };
}
