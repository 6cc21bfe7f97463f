import type { FleetTable, QueryAnswer } from '../table/fleet-table.ts';
import { toWish, type Want, WISHES } from './wish-record.ts';

export interface WishKeeperOptions {
  readonly table: Pick<FleetTable, 'query'>;
  readonly clock: { now(): number };
  /**
   * Does what is wanted of a model, until the wall clock says `until`, if that is there. Nothing wanted: a wish that was carried
   * out was followed by one whose time is over already. Must not throw.
   */
  readonly carryOut: (model: string, want: Want | undefined, until: number | undefined) => void;
}

/**
 * An instance's side of the operators' wishes: reads them when the digest says that they have changed, and has the latest of
 * each model carried out, once. Those in between are of no interest any more.
 */
export class WishKeeper {
  readonly #options: WishKeeperOptions;
  readonly #carriedOut = new Map<string, number>();
  /** The digest's counter, as seen last. */
  #seen: number | undefined;
  /** What it was when the wishes were asked for that were read last. */
  #read: number | undefined;
  #isReading = false;

  constructor(options: WishKeeperOptions) {
    this.#options = options;
  }

  /** By model, the `seq` of the wish that was carried out last: for the instance's snapshot. */
  get carriedOut(): ReadonlyMap<string, number> {
    return this.#carriedOut;
  }

  /** Whether the digest was seen, and all that it announced has been read. */
  get isUpToDate(): boolean {
    return this.#seen !== undefined && this.#seen === this.#read;
  }

  /** With every reading of the digest: how often wishes were announced. */
  seen(count: number): void {
    this.#seen = count;
    this.#readIfNew();
  }

  #readIfNew(): void {
    const count = this.#seen;
    if (this.#isReading || count === this.#read) return;
    this.#isReading = true;
    this.#options.table.query(WISHES, (answer) => {
      this.#isReading = false;
      this.#take(answer, count);
    });
  }

  #take(answer: QueryAnswer, count: number | undefined): void {
    // The next reading of the digest is soon enough to try again.
    if (answer.kind === 'unavailable') return;
    this.#read = count;
    for (const [model, item] of answer.items) {
      const wish = toWish(item);
      const last = this.#carriedOut.get(model) ?? 0;
      if (wish === undefined || wish.seq <= last) continue;
      const isOver = wish.until !== undefined && wish.until <= this.#options.clock.now();
      if (isOver && last === 0) continue;
      this.#carriedOut.set(model, wish.seq);
      if (isOver) this.#options.carryOut(model, undefined, undefined);
      else this.#options.carryOut(model, wish.want, wish.until);
    }
    // What was announced meanwhile may have come too late for this reading.
    this.#readIfNew();
  }
}
