import type { BreakerReport } from '../../shared/breaker/breaker-state.ts';
import { type DigestEntry, isForced } from '../../shared/fleet/breaker/digest-entry.ts';
import type { FleetBreaker } from './fleet-breakers.ts';
import { timeOf } from './time-document.ts';

/** A breaker of the fleet, as `/health/detailed` has it. */
export function fleetBreakerDocument({ name, states, shared }: FleetBreaker) {
  return { name, states, fleet: shared === undefined ? null : sharedDocument(shared) };
}

/** One of an instance's own. */
export function breakerDocument({ name, state, since, failures, nextProbeAt, epoch, isFleetWide }: BreakerReport) {
  return {
    name,
    state,
    since: timeOf(since),
    failures,
    next_probe_at: timeOf(nextProbeAt),
    epoch: epoch ?? null,
    fleet_wide: isFleetWide ?? false,
  };
}

function sharedDocument({ state, openings, active }: DigestEntry) {
  return {
    state: state.kind,
    epoch: state.epoch,
    since: state.kind === 'CLOSED' ? null : timeOf(state.at),
    next_probe_at: state.kind === 'OPEN' ? timeOf(state.at + state.openMs) : null,
    probe:
      state.kind === 'HALF_OPEN' && state.probe !== undefined
        ? { owner: state.probe.owner, since: timeOf(state.at), lease_seconds: state.probe.leaseMs / 1000 }
        : null,
    forced: isForced(state) ? { by: state.by, why: state.why, until: timeOf(state.until) } : null,
    openings: openings?.count ?? 0,
    active_instances: active?.count ?? null,
  };
}
