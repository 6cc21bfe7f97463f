import type { BreakerState } from '../../shared/breaker/breaker-state.ts';
import {
  breakersIn,
  type DigestEntry,
  type FleetState,
  isInForce,
  readEntry,
} from '../../shared/fleet/breaker/digest-entry.ts';
import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { Item } from '../../shared/fleet/table/fleet-table.ts';

/** A breaker over all live instances that tell of it, and what all of them share. */
export interface FleetBreaker {
  readonly name: string;
  /** On how many it is in which state; states without are left out. */
  readonly states: Readonly<Partial<Record<BreakerState, number>>>;
  /** What the fleet's digest says; undefined when it says nothing, or cannot be read. */
  readonly shared: DigestEntry | undefined;
}

/** By name. An instance of the fleet leaves out those that are CLOSED without a failure. */
export function fleetBreakers(instances: readonly SeenInstance[], digest: Item | undefined): readonly FleetBreaker[] {
  const byName = new Map<string, Partial<Record<BreakerState, number>>>(breakersIn(digest).map((name) => [name, {}]));
  for (const { snapshot } of instances) {
    for (const { name, state } of snapshot.breakers) {
      const states = byName.get(name) ?? {};
      byName.set(name, states);
      states[state] = (states[state] ?? 0) + 1;
    }
  }
  const shared = new Set(breakersIn(digest));
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, states]) => ({ name, states, shared: shared.has(name) ? readEntry(digest, name) : undefined }));
}

/** Names of those that let not all calls through, on an instance or for the whole fleet. */
export function notClosed(breakers: readonly FleetBreaker[]): readonly string[] {
  return breakers
    .filter(
      ({ states, shared }) =>
        Object.keys(states).some((state) => state !== 'CLOSED') ||
        (shared !== undefined && shared.state.kind !== 'CLOSED' && shared.state.kind !== 'FORCED_CLOSED'),
    )
    .map(({ name }) => name);
}

/** One line for each breaker that lets not all calls through, and for each that an operator has forced. @param now wall clock ms */
export function openBreakers(breakers: readonly FleetBreaker[], now: number): readonly string[] {
  return breakers.flatMap(({ name, states, shared }) => {
    const word = shared === undefined ? undefined : fleetWord(shared.state, now);
    const counts = Object.entries(states).filter(([state]) => state !== 'CLOSED');
    if (counts.length === 0) return word === undefined ? [] : [`the circuit breaker of ${name} is ${word}`];
    const where = counts.map(([state, count]) => `${state} on ${count} ${count === 1 ? 'instance' : 'instances'}`);
    const told = [...(word === undefined ? [] : [word]), ...where];
    return [`the circuit breaker of ${name} is ${told.join(', ')}`];
  });
}

function fleetWord(state: FleetState, now: number): string | undefined {
  switch (state.kind) {
    case 'CLOSED':
      return undefined;
    case 'OPEN':
    case 'HALF_OPEN':
    case 'RAMP':
      return `${state.kind} for the whole fleet`;
    case 'FORCED_OPEN':
    case 'FORCED_CLOSED': {
      if (!isInForce(state, now)) return undefined;
      const until = new Date(state.until).toISOString();
      return `forced ${state.kind === 'FORCED_OPEN' ? 'OPEN' : 'CLOSED'} by ${state.by} until ${until}: ${state.why}`;
    }
  }
}
