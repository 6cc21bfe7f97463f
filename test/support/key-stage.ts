import { createApiKey, hashOfKey } from '../../shared/fleet/keys/api-key.ts';
import { ApiKeys, type KeyAnswer } from '../../shared/fleet/keys/api-keys.ts';
import { addKey, disableKey, type KeyRecord } from '../../shared/fleet/keys/key-record.ts';
import type { FleetTable, Item, Key } from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from './virtual-table.ts';

/** A key's record, with nothing special about it. */
export function keyRecord(key: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    hash: hashOfKey(key),
    name: 'somebody',
    scopes: ['infer'],
    limits: {},
    by: 'a test',
    createdAt: 0,
    until: undefined,
    isDisabled: false,
    ...more,
  };
}

/** Another key each time, the same in every run. */
export function numberedKey(n: number): string {
  return createApiKey((bytes) => new Uint8Array(bytes).fill(n % 256).map((byte, at) => (at === 0 ? n >> 8 : byte)));
}

/** The keys of one instance over a table in memory, which answers when it is told to, or not at all. */
export class KeyStage {
  now = 1_000_000_000;
  isAway = false;
  /** What reads show in place of the table's own items. */
  shows: ((key: Key) => Item | undefined) | undefined;
  reads = 0;
  /** Of these, those for which the store has its time. */
  needed = 0;
  readonly keys: ApiKeys;
  readonly #table = new VirtualTable();
  readonly #waiting: (() => void)[] = [];

  constructor({ ttlMs = 60_000 }: { readonly ttlMs?: number } = {}) {
    const table: Pick<FleetTable, 'read'> = {
      read: (key, done, { isNeeded = false } = {}) => {
        this.reads += 1;
        if (isNeeded) this.needed += 1;
        this.#waiting.push(() => {
          if (this.isAway) return done({ kind: 'unavailable' });
          done(this.shows === undefined ? this.#table.read(key) : { kind: 'read', item: this.shows(key) });
        });
      },
    };
    this.keys = new ApiKeys({ table, clock: { now: () => this.now }, ttlMs });
  }

  pass(ms: number): void {
    this.now += ms;
  }

  add(key: string, more: Partial<KeyRecord> = {}): void {
    this.#table.apply(addKey(keyRecord(key, more)));
  }

  disable(key: string, isDisabled = true): void {
    this.#table.apply(disableKey(hashOfKey(key), isDisabled));
  }

  itemOf(key: Key): Item | undefined {
    return this.#table.read(key).item;
  }

  /** Looks it up, and lets the store answer. */
  async lookUp(key: string, asksForStrangers = true): Promise<KeyAnswer> {
    const answer = this.keys.lookUp(key, { asksForStrangers });
    this.answer();
    return answer;
  }

  async kindOf(key: string, asksForStrangers = true): Promise<KeyAnswer['kind']> {
    return (await this.lookUp(key, asksForStrangers)).kind;
  }

  /** What was asked is answered. */
  answer(): void {
    for (const settle of this.#waiting.splice(0)) settle();
  }
}
