import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import type { FleetTable } from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from './virtual-table.ts';

export interface TestBreakersOptions {
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly table?: VirtualTable;
  readonly instance?: string;
  readonly onTransition?: (transition: BreakerTransition) => void;
}

/** The breakers of one instance, over a table in memory that answers in the next step. */
export function createTestBreakers(options: TestBreakersOptions): { local: Breakers; breakers: FleetBreakers } {
  const { now, table = new VirtualTable(), instance = 'i', onTransition = () => {} } = options;
  const clock = createBreakerClock(now);
  const local = new Breakers(clock, onTransition);
  let ids = 0;
  const breakers = new FleetBreakers({
    instance,
    local,
    table: answeringLater(table),
    clock,
    random: () => 0.5,
    newId: () => `${instance}-${++ids}`,
    ttlMs: 5_000,
    onTransition,
  });
  return { local, breakers };
}

/** The table as instances call it. */
export function answeringLater(table: VirtualTable): FleetTable {
  return {
    read: (key, done) => queueMicrotask(() => done(table.read(key))),
    query: (pk, done) => queueMicrotask(() => done(table.query(pk))),
    update: (update, done) =>
      queueMicrotask(() => {
        done(table.apply(update));
      }),
  };
}
