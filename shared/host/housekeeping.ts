import type { Arrivals } from './arrivals.ts';
import type { Departures } from './departures.ts';
import type { Ground } from './effects.ts';
import { MemoryShortError } from './errors.ts';
import { emptiest, expired, idle } from './eviction.ts';
import { failureOf } from './load-failure.ts';
import { isLoadingSlot } from './slot-table.ts';

/** Wall ms between two looks at the process's memory. */
const SAMPLE_MS = 1_000;

/** Unloads what nobody needs, and what the process cannot bear. A part of the scheduler. */
export class Housekeeping {
  readonly #ground: Ground;
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  #sweptAt: number;
  #sampledAt: number;

  constructor(ground: Ground, arrivals: Arrivals, departures: Departures) {
    this.#ground = ground;
    this.#arrivals = arrivals;
    this.#departures = departures;
    this.#sweptAt = ground.clock.wall();
    this.#sampledAt = ground.clock.wall();
  }

  /** Does what is due. @param isMoving whether a worker is on its way in or out */
  tick(isMoving: boolean): void {
    const now = this.#ground.clock.wall();
    for (const { slot } of expired(this.#ground.table.residents(), now)) {
      this.#departures.dismiss(slot, 'keep_alive', 'its keep_alive is over');
    }
    if (now - this.#sweptAt >= this.#ground.settings.sweepIntervalMs) this.#sweep(now);
    if (now - this.#sampledAt >= SAMPLE_MS) this.#sample(now, isMoving);
  }

  /** Unloads models that nobody uses. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    const { strategy, idleUnloadMs, minimumResidencyMs, maxUnload } = this.#ground.settings;
    if (strategy === 'eager') return;
    // Loaded for a request that had gone by then: it is kept for a while, or a slow load would never serve anybody.
    const idleMs = strategy === 'on_demand' ? minimumResidencyMs : idleUnloadMs;
    for (const { slot } of idle(this.#ground.table.residents(), now, idleMs, maxUnload)) {
      this.#departures.drain(slot, 'idle', `nobody used it for ${Math.round(idleMs / 1000)} s`);
    }
  }

  /** Ends a worker before the platform ends the process. */
  #sample(now: number, isMoving: boolean): void {
    this.#sampledAt = now;
    const { ledger } = this.#ground;
    if (!isMoving) ledger.observeBase();
    const isMakingRoom = [...ledger.stays()].some(
      ({ slot, endingSince, isLost }) => !isLost && (endingSince !== undefined || slot.state.kind === 'DRAINING'),
    );
    if (isMakingRoom || !ledger.isAboveWatermark()) return;
    const victim = emptiest(this.#ground.table.residents())?.slot;
    if (victim !== undefined) {
      victim.recycledAt = now;
      this.#departures.drain(victim, 'memory', 'the process had nearly run out of memory');
      return;
    }
    const loading = [...this.#ground.table.all()].findLast(isLoadingSlot);
    if (loading === undefined) return;
    const error = new MemoryShortError(`the process had nearly run out of memory`, { model: loading.key });
    this.#arrivals.stop(loading.state.load, error);
    this.#arrivals.fail(loading, failureOf(error), error);
  }
}
