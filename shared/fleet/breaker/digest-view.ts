import type { FleetTable, Item } from '../table/fleet-table.ts';
import { digestKey } from './digest-entry.ts';

export interface DigestViewOptions {
  readonly table: FleetTable;
  /** Ms that have passed; never goes back. */
  readonly elapsed: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Ms for which what was read is fresh, before jitter. */
  readonly ttlMs: number;
  /** Told of every answer of the store that shows the digest. */
  readonly onItem: (item: Item | undefined) => void;
}

/** From when on nothing but the local breakers is gone by. */
const TRUSTED_MS = 60_000;
/** An instance whose calls fail looks more often: whether the fleet has tripped is what it wants to know. */
const HURRIED_TTL_MS = 2_000;

/**
 * This instance's view of the digest, which all its breakers share: one read for all of them. It is refreshed beside the
 * requests; one that is older than two times to live, or none, is worth waiting for.
 */
export class DigestView {
  readonly #options: DigestViewOptions;
  #item: Item | undefined;
  /** Elapsed ms when what is known was asked for: an answer may be delivered a freeze later, and is none the younger for it. */
  #readAt: number | undefined;
  /** Elapsed ms when the store was asked last, whatever came of it. */
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Elapsed ms of the last failed call. */
  #hurriedAt = Number.NEGATIVE_INFINITY;
  #refreshAt = Number.NEGATIVE_INFINITY;
  #waiting: ((isRead: boolean) => void)[] | undefined;

  constructor(options: DigestViewOptions) {
    this.#options = options;
  }

  /** The last answer. */
  get item(): Item | undefined {
    return this.#item;
  }

  /** A request begins. */
  wake(): void {
    if (this.#options.elapsed() >= this.#refreshAt) this.read();
  }

  /** A call of this instance failed: unless it has asked just now, it looks again at once, and not only when the next request begins. */
  hurry(): void {
    const now = this.#options.elapsed();
    this.#hurriedAt = now;
    this.#refreshAt = Math.min(this.#refreshAt, this.#askedAt + HURRIED_TTL_MS);
    if (now >= this.#refreshAt) this.read();
  }

  /**
   * Whether what is known is so old that a request should wait a moment for a look at the store: a failed call makes it old
   * soon, since it may be one of thousands.
   */
  isStale(): boolean {
    const ageMs = this.#ageMs();
    if (ageMs > 2 * this.#options.ttlMs) return true;
    return ageMs > HURRIED_TTL_MS && this.#readAt !== undefined && this.#readAt <= this.#hurriedAt;
  }

  /** Whether the store has been away, or this instance frozen, for so long that its word has no weight any more. */
  isBlind(): boolean {
    return this.#ageMs() > TRUSTED_MS;
  }

  /** Reads the digest, or joins the read that is under way. @param done told when it is over, and whether the store answered */
  read(done?: (isRead: boolean) => void): void {
    const isUnderWay = this.#waiting !== undefined;
    this.#waiting ??= [];
    if (done !== undefined) this.#waiting.push(done);
    if (isUnderWay) return;
    // A store that is away is asked again as often as one that is there.
    const askedAt = this.#options.elapsed();
    this.#askedAt = askedAt;
    this.#planRefresh(askedAt);
    this.#options.table.read(digestKey, (answer) => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      if (answer.kind === 'read') this.adopt(answer.item, askedAt);
      for (const one of waiting) one(answer.kind === 'read');
    });
  }

  /** An answer of the store shows the digest like this. @param askedAt elapsed ms when the store was asked */
  adopt(item: Item | undefined, askedAt: number): void {
    this.#item = item;
    this.#readAt = Math.max(this.#readAt ?? askedAt, askedAt);
    this.#askedAt = Math.max(this.#askedAt, askedAt);
    this.#planRefresh(this.#readAt);
    this.#options.onItem(item);
  }

  #ageMs(): number {
    return this.#readAt === undefined ? Number.POSITIVE_INFINITY : this.#options.elapsed() - this.#readAt;
  }

  #planRefresh(from: number): void {
    const { ttlMs, random } = this.#options;
    this.#refreshAt = from + ttlMs * (1 - 0.2 * random());
  }
}
