import { type JudgeFailure, settling } from '../../breaker/guard.ts';
import type { FleetBreaker, FleetTicket } from './fleet-breaker.ts';
import { ProbeTicket } from './prober.ts';

/** A call, with the ms that it may take where it is the fleet's probe: another takes over after that. */
export type GuardedCall<T> = (limits: { readonly timeoutMs: number | undefined }) => Promise<T>;

/**
 * Makes one call under a breaker that the fleet shares; the only thing that it may wait for is the probe, where the call could be
 * it. @throws BreakerOpenError, or what the call throws
 */
export async function guardFleet<T>(breaker: FleetBreaker, call: GuardedCall<T>, judge: JudgeFailure): Promise<T> {
  const ticket = breaker.admit() ?? (await probeOf(breaker));
  if (ticket === undefined) throw breaker.refusal();
  const timeoutMs = ticket instanceof ProbeTicket ? ticket.timeoutMs : undefined;
  return settling(breaker, ticket, () => call({ timeoutMs }), judge);
}

function probeOf(breaker: FleetBreaker): Promise<FleetTicket | undefined> | undefined {
  return breaker.mayProbe() ? new Promise((resolve) => breaker.probe(resolve)) : undefined;
}
