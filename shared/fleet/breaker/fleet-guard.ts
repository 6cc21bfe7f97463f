import { type JudgeFailure, settling } from '../../breaker/guard.ts';
import type { FleetBreaker, FleetTicket } from './fleet-breaker.ts';
import { ProbeTicket } from './prober.ts';

/** What a call is to keep to. */
export interface CallLimits {
  /** Ms that it may take where it is the fleet's probe: another takes over after that. */
  readonly timeoutMs: number | undefined;
}

export type GuardedCall<T> = (limits: CallLimits) => Promise<T>;

const UNLIMITED: CallLimits = { timeoutMs: undefined };

/**
 * Makes one call under a breaker that the fleet shares; the only thing that it may wait for is the probe, where the call could be
 * it. @throws BreakerOpenError, or what the call throws
 */
export function guardFleet<T>(breaker: FleetBreaker, call: GuardedCall<T>, judge: JudgeFailure): Promise<T> {
  const ticket = breaker.admit();
  if (ticket !== undefined) return settling(breaker, ticket, UNLIMITED, call, judge);
  return breaker.mayProbe() ? probing(breaker, call, judge) : Promise.reject(breaker.refusal());
}

async function probing<T>(breaker: FleetBreaker, call: GuardedCall<T>, judge: JudgeFailure): Promise<T> {
  const probe = await new Promise<FleetTicket | undefined>((resolve) => breaker.probe(resolve));
  // The look at the store may have shown that it is open no more.
  const ticket = probe ?? breaker.admit();
  if (ticket === undefined) throw breaker.refusal();
  return settling(breaker, ticket, ticket instanceof ProbeTicket ? ticket : UNLIMITED, call, judge);
}
