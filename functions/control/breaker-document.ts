import { type DigestEntry, isForced } from '../../shared/fleet/breaker/digest-entry.ts';
import { timeOf } from '../../shared/time-document.ts';
import type { FleetBreaker } from './fleet-breakers.ts';

/** A breaker of the fleet, as `/health/detailed` has it. */
export function fleetBreakerDocument({ name, states, shared }: FleetBreaker) {
  return { name, states, fleet: shared === undefined ? null : sharedDocument(shared) };
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
