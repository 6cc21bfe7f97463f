import type { ClockReadings } from '../../host/awake-clock.ts';
import { leastSince, type Moment, momentOf } from './moment.ts';
import type { PermitRecord, PermitSlot } from './permit-record.ts';

interface Sight {
  readonly slot: PermitSlot;
  /** When it was first seen to be so. */
  readonly since: Moment;
}

/** Since when each place of one model has shown no life, by this instance's own clocks. */
export class SlotWatch {
  readonly #clock: ClockReadings;
  #sights = new Map<number, Sight>();

  constructor(clock: ClockReadings) {
    this.#clock = clock;
  }

  /** What an answer has just shown: what it shows was so before it came, never after. */
  see({ slots }: PermitRecord): void {
    const sights = new Map<number, Sight>();
    for (const [place, slot] of slots) {
      const known = this.#sights.get(place);
      const isSame = known?.slot.fence === slot.fence && known.slot.renewals === slot.renewals;
      // A wall clock that was set back far would make it wait for as long.
      const counts = known !== undefined && isSame && leastSince(known.since, this.#clock) >= 0;
      sights.set(place, counts ? known : { slot, since: momentOf(this.#clock) });
    }
    this.#sights = sights;
  }

  /** The first place that may be taken: one that is free before one whose holder has outlived its lease. */
  place({ slots }: PermitRecord, permits: number): number | undefined {
    let stale: number | undefined;
    for (let place = 0; place < permits; place++) {
      if (!slots.has(place)) return place;
      const sight = this.#sights.get(place);
      if (stale === undefined && sight !== undefined && leastSince(sight.since, this.#clock) >= sight.slot.leaseMs) {
        stale = place;
      }
    }
    return stale;
  }
}
