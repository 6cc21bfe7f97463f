import type { FleetTable } from '../../../shared/fleet/table/fleet-table.ts';
import { type Caller, VirtualStore } from '../../simulation/fleet/virtual-store.ts';
import type { VirtualTime } from '../../simulation/fleet/virtual-time.ts';
import { RateMeter } from './rate-meter.ts';

/** A store that counts what instances ask of it, whether or not it arrives. */
export class CountingStore extends VirtualStore {
  readonly writes = new RateMeter();
  readonly reads = new RateMeter();
  /** By the name of the step. */
  readonly steps = new Map<string, number>();
  readonly #clock: VirtualTime;

  constructor(options: ConstructorParameters<typeof VirtualStore>[0]) {
    super(options);
    this.#clock = options.time;
  }

  override reachedBy(caller: Caller): FleetTable {
    const table = super.reachedBy(caller);
    return {
      read: (key, done, options) => {
        this.reads.count(this.#clock.now());
        table.read(key, done, options);
      },
      query: (pk, done) => {
        this.reads.count(this.#clock.now());
        table.query(pk, done);
      },
      update: (update, done) => {
        this.writes.count(this.#clock.now());
        this.steps.set(update.name, (this.steps.get(update.name) ?? 0) + 1);
        table.update(update, done);
      },
    };
  }
}
