import { type DigestEntry, isNotOlder, readEntry } from '../../../../shared/fleet/breaker/digest-entry.ts';
import type { Item, QueryAnswer, ReadAnswer, UpdateAnswer } from '../../../../shared/fleet/table/fleet-table.ts';
import type { StoreCall } from '../../../support/scheduled-store.ts';

/** What the machines of one instance remember of the store's answers; the explorer keeps it beside them, since it can't look into them. */
export class Memory {
  readonly #breaker: string;
  #entry: DigestEntry;
  #item: Item | undefined;
  /** Writes that got no answer, and the votes that got one. */
  readonly #writes = new Map<string, string>();
  /** Ms when each call was made, by its id. */
  readonly #askedAt = new Map<number, number>();
  #lastAskedAt: number;
  #readAt: number;

  constructor(breaker: string, item: Item | undefined, now: number) {
    this.#breaker = breaker;
    this.#item = item;
    this.#entry = readEntry(item, breaker);
    this.#lastAskedAt = now;
    this.#readAt = now;
  }

  ask({ id, name }: StoreCall, now: number): void {
    this.#askedAt.set(id, now);
    if (name === 'READ') this.#lastAskedAt = now;
  }

  /** Ms when this call was made. */
  askedAt({ id }: StoreCall): number | undefined {
    return this.#askedAt.get(id);
  }

  hear({ id, name, text, isDigest }: StoreCall, answer: ReadAnswer | QueryAnswer | UpdateAnswer, now: number): void {
    if (answer.kind === 'unavailable') this.#writes.set(name, `${text()} ${now}`);
    else if (name === 'VOTE') this.#writes.set(name, text());
    else this.#writes.delete(name);
    if (!isDigest || !('item' in answer)) return;
    this.#item = answer.item;
    this.#readAt = Math.max(this.#readAt, this.#askedAt.get(id) ?? now);
    const read = readEntry(answer.item, this.#breaker);
    if (isNotOlder(read.state, this.#entry.state)) this.#entry = read;
  }

  fingerprint(): string {
    return `${this.#lastAskedAt} ${this.#readAt} ${JSON.stringify(this.#entry)} ${JSON.stringify(this.#item)} ${[...this.#writes.values()].sort()}`;
  }
}
