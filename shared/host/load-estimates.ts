import { isLoading, type Slot } from './slot.ts';
import { downloaded, progressOf } from './slot-status.ts';

/** A load's pace says something once it has come so far by itself. */
const TELLING_PROGRESS = 0.1;
/** Weight of the newest load in the average. */
const NEWEST = 0.3;

/** How long loads take, learned from those that came to their end; in awake ms. */
export class LoadEstimates {
  #msPerByte: number | undefined;

  /** A load of this slot came to READY. */
  learn(slot: Slot, ms: number): void {
    slot.lastLoadMs = ms;
    const pace = ms / Math.max(1, slot.bytesTotal);
    this.#msPerByte = this.#msPerByte === undefined ? pace : (1 - NEWEST) * this.#msPerByte + NEWEST * pace;
  }

  /** Ms that a load of this slot takes from its beginning; undefined while nothing has been learned. */
  wholeMs(slot: Slot): number | undefined {
    if (slot.lastLoadMs !== undefined) return slot.lastLoadMs;
    return this.#msPerByte === undefined ? undefined : this.#msPerByte * slot.bytesTotal;
  }

  /** Ms that the slot's load, on its way or yet to begin, still takes; undefined when nothing tells. */
  leftMs(slot: Slot, awake: number): number | undefined {
    if (!isLoading(slot.state)) return this.wholeMs(slot);
    const { load } = slot.state;
    const elapsed = awake - load.startedAwake;
    const progress = progressOf(slot);
    const made = progress - downloaded(load.bytesResumed, slot.bytesTotal);
    if (made >= TELLING_PROGRESS) return (elapsed * (1 - progress)) / made;
    const whole = this.wholeMs(slot);
    return whole === undefined ? undefined : Math.max(0, whole - elapsed);
  }
}
