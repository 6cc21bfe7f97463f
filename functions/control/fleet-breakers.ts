import type { BreakerState } from '../../shared/breaker/breaker-state.ts';
import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';

/** A breaker over all live instances that tell of it. */
export interface FleetBreaker {
  readonly name: string;
  /** On how many it is in which state; states without are left out. */
  readonly states: Readonly<Partial<Record<BreakerState, number>>>;
}

/** By name. An instance of the fleet leaves out those that are CLOSED without a failure. */
export function fleetBreakers(instances: readonly SeenInstance[]): readonly FleetBreaker[] {
  const byName = new Map<string, Partial<Record<BreakerState, number>>>();
  for (const { snapshot } of instances) {
    for (const { name, state } of snapshot.breakers) {
      const states = byName.get(name) ?? {};
      byName.set(name, states);
      states[state] = (states[state] ?? 0) + 1;
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, states]) => ({ name, states }));
}

/** One line for each breaker that lets not all calls through. */
export function openBreakers(instances: readonly SeenInstance[]): readonly string[] {
  return fleetBreakers(instances).flatMap(({ name, states }) => {
    const counts = Object.entries(states).filter(([state]) => state !== 'CLOSED');
    if (counts.length === 0) return [];
    const where = counts.map(([state, count]) => `${state} on ${count} ${count === 1 ? 'instance' : 'instances'}`);
    return [`the circuit breaker of ${name} is ${where.join(', ')}`];
  });
}
