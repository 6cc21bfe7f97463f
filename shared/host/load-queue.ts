import type { CasaLinguaError } from '../errors.ts';
import type { Arrivals } from './arrivals.ts';
import type { Departures } from './departures.ts';
import type { Ground } from './effects.ts';
import { CannotFitError, MemoryShortError, MemoryUnreadableError, PreemptedError, QueueFullError } from './errors.ts';
import { failureOf } from './load-failure.ts';
import type { LoadPriority } from './model-host.ts';
import { inOrder, isAwaited, isDue, yieldsTo } from './queue-order.ts';
import { judge, type Verdict } from './room.ts';
import type { Slot } from './slot.ts';
import type { SlotPermits } from './slot-permits.ts';
import { isLoadingSlot, type QueuedSlot, type ResidentSlot } from './slot-table.ts';

/** Which load begins next, and whether there is room for it. A part of the scheduler. */
export class LoadQueue {
  readonly #ground: Ground;
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  readonly #permits: SlotPermits;

  constructor(ground: Ground, arrivals: Arrivals, departures: Departures, permits: SlotPermits) {
    this.#ground = ground;
    this.#arrivals = arrivals;
    this.#departures = departures;
    this.#permits = permits;
  }

  /** A new series of attempts. @returns why there is no place for it */
  enqueue(slot: Slot, priority: LoadPriority): CasaLinguaError | undefined {
    const { queueEnabled, queueLimit } = this.#ground.settings;
    if (queueEnabled && this.#ground.table.queued >= queueLimit) {
      const last = inOrder(this.#ground.table.all()).at(-1);
      const isFull = (model: string) =>
        new QueueFullError(`${queueLimit} models wait for their load already`, { model });
      if (last === undefined || !yieldsTo(last, priority)) return isFull(slot.key);
      this.#arrivals.refuseAll(last, isFull(last.key));
      this.#arrivals.cancel(last, 'the queue is full');
    }
    slot.attempts = 0;
    this.#arrivals.enqueue(slot);
    return undefined;
  }

  /** Begins what may begin. */
  advance(): void {
    if (this.#ground.table.queued === 0) return;
    const now = this.#ground.clock.wall();
    for (const slot of inOrder(this.#ground.table.all())) {
      if (!isDue(slot, now)) continue;
      if (this.#places() <= 0) {
        this.#makePlaceFor(slot);
        return;
      }
      if (!this.#begin(slot)) return;
    }
  }

  /** Loads that may begin now. */
  #places(): number {
    const { queueEnabled, loadConcurrency } = this.#ground.settings;
    return queueEnabled ? loadConcurrency - this.#arrivals.running : Infinity;
  }

  /** Who waits does not wait for a download that nobody waits for: that one goes on later, from where it was. */
  #makePlaceFor(slot: QueuedSlot): void {
    if (!isAwaited(slot)) return;
    const loads = [...this.#ground.table.all()].filter(isLoadingSlot);
    // A load that has been told to stop leaves its place in a moment.
    if (loads.length < this.#arrivals.running) return;
    const unwanted = loads.findLast((load) => load.state.kind === 'DOWNLOADING' && !isAwaited(load));
    if (unwanted === undefined) return;
    // A download is not stopped for one that may not begin.
    if (!this.#permits.mayLoad(slot)) {
      this.#permits.seek(slot, 1);
      return;
    }
    this.#arrivals.preempt(unwanted, new PreemptedError(`${slot.key} goes first`, { model: unwanted.key }));
  }

  /** Begins this load if there is room, or makes room. @returns whether the next in the queue may be looked at */
  #begin(slot: QueuedSlot): boolean {
    const { key, manifest } = slot;
    const { peakMb } = manifest.memory;
    const verdict = this.#judge(slot);
    const hasRoom = verdict.kind === 'fits' || verdict.kind === 'evict';
    if (hasRoom && !this.#permits.mayLoad(slot)) {
      // It holds nothing while it waits, and those behind it may go.
      this.#permits.seek(slot, this.#places());
      return true;
    }
    switch (verdict.kind) {
      case 'fits':
        this.#arrivals.start(slot);
        if (this.#places() <= 0) this.#permits.noPlaceIsLeft();
        return true;
      case 'evict':
        for (const { slot: resident } of verdict.models)
          this.#departures.drain(resident, 'room', `it made room for ${key}`);
        return !isAwaited(slot);
      case 'wait':
        // Whoever waits for room is not overtaken by those who need less.
        return !isAwaited(slot);
      case 'never': {
        const needs = `${key} needs ${peakMb} MB while it loads`;
        const error = new CannotFitError(`${needs}, this instance has ${Math.floor(verdict.budgetMb)} MB for models`);
        this.#arrivals.fail(slot, failureOf(error), error);
        return true;
      }
      case 'not now': {
        const details = { model: key, state: 'UNLOADED', retryAfterSeconds: verdict.retryAfterMs / 1000 };
        this.#turnAway(slot, new MemoryShortError(`${key} does not fit beside the models that are in use`, details));
        return true;
      }
      case 'unreadable':
        this.#turnAway(slot, new MemoryUnreadableError('memory cannot be read, so nothing is loaded', { model: key }));
        return true;
    }
  }

  #judge(slot: QueuedSlot): Verdict<ResidentSlot> {
    const { ledger, clock, settings } = this.#ground;
    if (!ledger.isProtected) return { kind: 'fits' };
    const now = clock.wall();
    const residents = this.#ground.table.residents();
    const replaced = residents.filter((resident) => resident.slot.manifest.id === slot.manifest.id);
    let leavingMb = 0;
    let shrinkingMb = 0;
    for (const stay of ledger.stays()) {
      // Nothing is to be hoped for from those that are lost.
      if (stay.isLost) continue;
      const isLeaving = stay.endingSince !== undefined || stay.slot.state.kind === 'DRAINING';
      if (isLeaving) leavingMb += stay.memoryMb;
      else if (stay.isLoading) shrinkingMb += Math.max(0, stay.memoryMb - stay.slot.manifest.memory.residentMb);
    }
    return judge({
      neededMb: slot.manifest.memory.peakMb,
      budgetMb: ledger.budgetMb(),
      largestBudgetMb: ledger.largestBudgetMb(),
      reservedMb: ledger.reservedMb,
      leavingMb,
      shrinkingMb,
      residents,
      replaced,
      haveOutstayed: replaced.some(({ slot: { replacedAt } }) => now - (replacedAt ?? now) >= settings.drainTimeoutMs),
      mayEvict: isAwaited(slot),
      now,
      minimumResidencyMs: settings.minimumResidencyMs,
    });
  }

  /** Who waits is told; a load that nobody waits for stays in the queue until there is room. */
  #turnAway(slot: QueuedSlot, error: CasaLinguaError): void {
    slot.lastFailure = failureOf(error);
    if (slot.waiters.size === 0) return;
    this.#arrivals.refuseAll(slot, error);
    if (!slot.isPreload) this.#ground.table.change(slot, { kind: 'UNLOADED' }, error.message);
  }
}
