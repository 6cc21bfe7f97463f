import type { LoadPermit, LoadPermits, PermitGrant } from './load-permits.ts';
import type { Slot } from './slot.ts';
import type { QueuedSlot } from './slot-table.ts';

/** What becomes of a slot's permit. Called in steps of their own. */
export interface SlotPermitEvents {
  granted(slot: Slot, grant: PermitGrant): void;
  lost(slot: Slot): void;
}

interface Sought {
  readonly permit: LoadPermit;
  /** Awake ms. */
  readonly since: number;
  isGranted: boolean;
}

/** Awake ms in which a permit that is sought keeps the place of its slot's load from those behind it in the queue. */
const PATIENCE_MS = 1_000;

/** Which slots hold a permit to download, and which seek one. A part of the scheduler. */
export class SlotPermits {
  readonly #permits: LoadPermits | undefined;
  readonly #clock: { awake(): number };
  readonly #events: SlotPermitEvents;
  readonly #sought = new Map<Slot, Sought>();
  /** Slots of which this step has said that they go on seeking, or begin. */
  readonly #kept = new Set<Slot>();
  #placesSought = 0;

  /** @param permits undefined: loads need none */
  constructor(permits: LoadPermits | undefined, clock: { awake(): number }, events: SlotPermitEvents) {
    this.#permits = permits;
    this.#clock = clock;
    this.#events = events;
  }

  /** Whether nothing but a permit may keep its load from beginning. */
  mayLoad(slot: Slot): boolean {
    return this.#permits === undefined || this.#sought.get(slot)?.isGranted === true;
  }

  /** It waits for a permit, not for its turn or for room. */
  isAwaitedBy(slot: Slot): boolean {
    return this.#sought.get(slot)?.isGranted === false;
  }

  /**
   * Its load would begin if it had a permit: seeks one, unless those before it in the queue seek one for each of the `places`
   * that are free, and have not done so for long.
   */
  seek(slot: QueuedSlot, places: number): void {
    if (this.#permits === undefined) return;
    let sought = this.#sought.get(slot);
    if (sought === undefined) {
      if (this.#placesSought >= places) return;
      sought = this.#begin(this.#permits, slot);
    }
    this.#kept.add(slot);
    if (this.#clock.awake() - sought.since < PATIENCE_MS) this.#placesSought++;
  }

  /** The last place has been taken in this step. */
  noPlaceIsLeft(): void {
    this.#kept.clear();
  }

  /** The end of a step: a permit that serves no download, and will not in a moment, is given back. */
  settle(): void {
    for (const [slot, { permit }] of this.#sought) {
      if (slot.state.kind === 'DOWNLOADING' || this.#kept.has(slot)) continue;
      this.#sought.delete(slot);
      permit.release();
    }
    this.#kept.clear();
    this.#placesSought = 0;
  }

  #begin(permits: LoadPermits, slot: Slot): Sought {
    const permit = permits.seek(slot.manifest.id, {
      granted: (grant) => {
        sought.isGranted = true;
        this.#events.granted(slot, grant);
      },
      lost: () => {
        this.#sought.delete(slot);
        this.#events.lost(slot);
      },
    });
    const sought: Sought = { permit, since: this.#clock.awake(), isGranted: false };
    this.#sought.set(slot, sought);
    return sought;
  }
}
