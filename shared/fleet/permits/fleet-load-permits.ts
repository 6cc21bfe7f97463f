import type { LoadPermit, LoadPermits, PermitSeeker } from '../../host/load-permits.ts';
import type { PermitGround } from './permit-ground.ts';
import { PermitHolder } from './permit-holder.ts';
import { PermitSearch } from './permit-search.ts';
import { SlotWatch } from './slot-watch.ts';
import { StoreAbsence } from './store-absence.ts';

/** This instance's permits in the fleet's table: what it seeks, what it holds, and what it still has to give back. */
export class FleetLoadPermits implements LoadPermits {
  readonly #ground: PermitGround;
  readonly #store: StoreAbsence;
  /** By model: what one search has seen serves the next. */
  readonly #watches = new Map<string, SlotWatch>();
  readonly #active = new Set<PermitSearch | PermitHolder>();
  #attempts = 0;

  constructor(ground: PermitGround) {
    this.#ground = ground;
    this.#store = new StoreAbsence(ground);
  }

  seek(model: string, seeker: PermitSeeker): LoadPermit {
    let current: PermitSearch | PermitHolder | undefined;
    const search: PermitSearch = new PermitSearch(model, {
      ground: this.#ground,
      store: this.#store,
      watch: this.#watchOf(model),
      newId: () => (++this.#attempts).toString(36),
      result: {
        found: (permit, sentAt, isWanted) => {
          const holder: PermitHolder = new PermitHolder(permit, sentAt, {
            ground: this.#ground,
            lost: () => seeker.lost(),
            ended: () => this.#active.delete(holder),
          });
          this.#active.add(holder);
          if (!isWanted) {
            holder.release();
            return;
          }
          current = holder;
          seeker.granted('permit');
        },
        away: () => {
          current = undefined;
          seeker.granted('store away');
        },
        ended: () => this.#active.delete(search),
      },
    });
    current = search;
    this.#active.add(search);
    return {
      release: () => {
        if (current instanceof PermitSearch) current.stop();
        else current?.release();
      },
    };
  }

  wake(): void {
    for (const each of [...this.#active]) each.wake();
  }

  #watchOf(model: string): SlotWatch {
    let watch = this.#watches.get(model);
    if (watch === undefined) {
      watch = new SlotWatch(this.#ground.clock);
      this.#watches.set(model, watch);
    }
    return watch;
  }
}
