import type { BreakerClock } from '../../breaker/breaker-clock.ts';
import type { FleetTable, Update, UpdateAnswer } from '../table/fleet-table.ts';
import type { DigestView } from './digest-view.ts';

/** What all parts of this instance's fleet breakers stand on. */
export interface FleetGround {
  /** This instance's id. */
  readonly instance: string;
  readonly table: FleetTable;
  readonly digest: DigestView;
  readonly clock: BreakerClock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Unique wherever it is made. */
  readonly newId: () => string;
}

/** Writes a step, and adopts whatever digest the answer shows. */
export function takeStep(ground: FleetGround, update: Update, done: (answer: UpdateAnswer) => void): void {
  const sentAt = ground.clock.elapsed();
  ground.table.update(update, (answer) => {
    if (answer.kind !== 'unavailable') ground.digest.adopt(answer.item, sentAt);
    done(answer);
  });
}
