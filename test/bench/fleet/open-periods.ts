import { digestKey, type FleetState, readEntry } from '../../../shared/fleet/breaker/digest-entry.ts';
import { MODEL_BREAKER } from '../../simulation/fleet/virtual-instance.ts';
import type { Applied } from '../../simulation/fleet/virtual-store.ts';

interface OpenPeriod {
  /** By instances that know of it. */
  calls: number;
  takeovers: number;
}

/** What the store says of the breaker, and what was called while it was open for the fleet. */
export class OpenPeriods {
  state: FleetState = { kind: 'CLOSED', epoch: 0 };
  readonly #periods = new Map<number, OpenPeriod>();

  /** The store carried out a step. @returns whether a probe failed */
  applied({ update, before, after }: Applied): boolean {
    if (update.key.pk !== digestKey.pk) return false;
    const from = readEntry(before, MODEL_BREAKER).state;
    const to = readEntry(after, MODEL_BREAKER).state;
    this.state = to;
    if (to.kind === 'OPEN' && to.epoch !== from.epoch) this.#periods.set(to.epoch, { calls: 0, takeovers: 0 });
    const period = this.#periods.get(to.epoch);
    if (update.name === 'CLAIM' && from.kind === 'HALF_OPEN' && from.probe !== undefined && period !== undefined) {
      period.takeovers += 1;
    }
    return update.name === 'SETTLE' && to.kind === 'OPEN';
  }

  /** The model was called. @param epoch that its instance knows of */
  called(epoch: number): void {
    if (this.state.kind !== 'OPEN' && this.state.kind !== 'HALF_OPEN') return;
    const period = this.#periods.get(epoch);
    if (period !== undefined && epoch === this.state.epoch) period.calls += 1;
  }

  get count(): number {
    return this.#periods.size;
  }

  get takeovers(): number {
    return [...this.#periods.values()].reduce((sum, period) => sum + period.takeovers, 0);
  }

  /** Less takeovers; of all periods the most. */
  get mostProbes(): number {
    return Math.max(0, ...Array.from(this.#periods.values(), ({ calls, takeovers }) => calls - takeovers));
  }
}
