import type { BreakerState } from '../../breaker/breaker-state.ts';
import { type FleetState, isForced } from './digest-entry.ts';

/** As every breaker's states are told. */
export function stateOf({ kind }: FleetState): BreakerState {
  switch (kind) {
    case 'FORCED_OPEN':
      return 'OPEN';
    case 'FORCED_CLOSED':
      return 'CLOSED';
    default:
      return kind;
  }
}

/** Why it went from one to the other, in words. */
export function reasonOf(from: FleetState, to: FleetState): string {
  switch (to.kind) {
    case 'OPEN':
      return from.kind === 'OPEN' || from.kind === 'HALF_OPEN' ? 'a probe failed' : 'enough instances saw it fail';
    case 'HALF_OPEN':
      return 'an instance of the fleet probes it';
    case 'RAMP':
      return 'the probes of the fleet succeeded';
    case 'CLOSED':
      return isForced(from) ? 'an operator released it' : 'all calls go through again';
    case 'FORCED_OPEN':
    case 'FORCED_CLOSED':
      return `${to.by} forced it: ${to.why}`;
  }
}
