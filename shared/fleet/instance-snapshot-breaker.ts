import * as z from 'zod/mini';
import type { BreakerReport, BreakerState } from '../breaker/breaker-state.ts';

/** By their places, which are what is written; one more goes to the end. */
const states: readonly BreakerState[] = ['CLOSED', 'OPEN', 'HALF_OPEN', 'RAMP'];

/** One breaker: name, state, its beginning in seconds before the snapshot, failures, next probe in seconds after it. */
export const breakerRow = z.tuple([
  z.string(),
  z.int().check(z.minimum(0), z.maximum(states.length - 1)),
  z.int(),
  z.int(),
  z.nullable(z.int()),
]);

/** Times become whole seconds, so that they stay the same from snapshot to snapshot. */
export function encodeBreaker({ name, state, since, failures, nextProbeAt }: BreakerReport, at: number) {
  const now = Math.floor(at / 1000);
  const probe = nextProbeAt === undefined ? null : Math.ceil(nextProbeAt / 1000) - now;
  return [name, states.indexOf(state), now - Math.floor(since / 1000), failures, probe];
}

export function decodeBreaker(
  [name, state, age, failures, probe]: z.infer<typeof breakerRow>,
  at: number,
): BreakerReport {
  const now = Math.floor(at / 1000);
  return {
    name,
    state: states[state] ?? 'CLOSED',
    since: (now - age) * 1000,
    failures,
    ...(probe === null ? {} : { nextProbeAt: (now + probe) * 1000 }),
  };
}
