import { leastSince, type Moment, momentOf, mostSince } from './moment.ts';
import type { PermitGround } from './permit-ground.ts';

/** Fewer calls in a row may fail by chance. */
const FEWEST = 3;
/** Failures that are further apart say nothing about the time between them: the instance was frozen, or asked nothing. */
const LONGEST_GAP_MS = 10_000;

/** Whether the store is away, by what this instance's searches for permits have seen. */
export class StoreAbsence {
  readonly #ground: Pick<PermitGround, 'clock' | 'times'>;
  #run: { readonly since: Moment; readonly last: Moment; readonly count: number } | undefined;

  constructor(ground: Pick<PermitGround, 'clock' | 'times'>) {
    this.#ground = ground;
  }

  answered(): void {
    this.#run = undefined;
  }

  /** A call was not answered. @returns whether the store has been away for long enough to go without it */
  failed(): boolean {
    const { clock, times } = this.#ground;
    const now = momentOf(clock);
    const isOneRun = this.#run !== undefined && mostSince(this.#run.last, clock) <= LONGEST_GAP_MS;
    const before = isOneRun ? this.#run : undefined;
    const run = { since: before?.since ?? now, last: now, count: (before?.count ?? 0) + 1 };
    this.#run = run;
    return run.count >= FEWEST && leastSince(run.since, clock) >= times.awayMs;
  }
}
