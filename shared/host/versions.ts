import type { Manifest } from '../repository/manifest.ts';
import type { Arrivals } from './arrivals.ts';
import type { Departures } from './departures.ts';
import type { Ground } from './effects.ts';
import type { Hold, Slot, Waiter } from './slot.ts';
import { isReady, type ReadySlot, type SlotTable } from './slot-table.ts';

/** Wall ms in which a change of version is not undone by a request that still asks for the one before. */
const CHANGE_MS = 10_000;

/** Which version of a model is wanted, who is served by which, and how one takes over from another. */
export class Versions {
  readonly #table: SlotTable;
  readonly #clock: Ground['clock'];
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;

  constructor({ table, clock }: Ground, arrivals: Arrivals, departures: Departures) {
    this.#table = table;
    this.#clock = clock;
    this.#arrivals = arrivals;
    this.#departures = departures;
  }

  /** The slot to serve this request with: its version's, which from now on is the one that is wanted of the model. */
  want(manifest: Manifest): Slot {
    const slot = this.#table.slotOf(manifest);
    if (this.#table.isWanted(slot)) return slot;
    const now = this.#clock.wall();
    const wanted = this.#table.wanted(manifest.id);
    // A request that began before the change of version must not undo it.
    if (wanted !== undefined && slot.replacedAt !== undefined && now - slot.replacedAt < CHANGE_MS) return wanted;
    this.#table.want(slot);
    for (const other of this.#table.others(slot)) {
      slot.isPreload ||= other.isPreload;
      other.isPreload = false;
      other.replacedAt ??= now;
      if (other.waiters.size === 0) this.#arrivals.cancel(other, 'another version is wanted');
    }
    return slot;
  }

  grant(slot: ReadySlot, waiter: Waiter): void {
    waiter.granted(this.hold(slot, waiter.wantsLease, waiter.keepAliveMs));
  }

  hold(slot: ReadySlot, isLease: boolean, keepAliveMs: number | undefined): Hold {
    const ready = slot.state;
    ready.lastUsedAt = this.#clock.wall();
    if (isLease) ready.leases++;
    if (keepAliveMs !== undefined) slot.keepAliveMs = keepAliveMs;
    return { slot, ready };
  }

  /** A model has just become READY: those who wait for it, or for another version of it, get it. */
  welcome(slot: ReadySlot): void {
    const others = this.#table.others(slot);
    const newer = others.find((other) => this.#table.isWanted(other));
    if (newer !== undefined && isReady(newer)) {
      this.#grantAll(slot, newer);
      this.#drain(slot, newer);
      return;
    }
    this.#grantAll(slot, slot);
    for (const other of others) {
      this.#drain(other, slot);
      if (newer !== undefined) continue;
      this.#grantAll(other, slot);
      this.#arrivals.cancel(other, `${slot.key} has replaced it`);
    }
    // It serves until the newer one is READY: those who have come for that one already as well as those who come now.
    if (newer !== undefined) this.#grantLeases(newer, slot);
  }

  /** Versions whose change nobody can undo any more are of no use once they have come to rest. */
  forgetReplaced(now: number): void {
    this.#table.forgetReplaced(now - CHANGE_MS);
  }

  #grantAll({ waiters }: Slot, slot: ReadySlot): void {
    for (const waiter of waiters) this.grant(slot, waiter);
    waiters.clear();
  }

  #grantLeases({ waiters }: Slot, slot: ReadySlot): void {
    for (const waiter of waiters) {
      if (!waiter.wantsLease) continue;
      waiters.delete(waiter);
      this.grant(slot, waiter);
    }
  }

  #drain(slot: Slot, newer: Slot): void {
    if (isReady(slot)) this.#departures.drain(slot, 'replaced', `${newer.key} has replaced it`);
  }
}
