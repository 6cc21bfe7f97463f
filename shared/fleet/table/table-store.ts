import type { Item, Key, Update, UpdateAnswer } from './fleet-table.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** An update that was answered. */
export type UpdateResult = Exclude<UpdateAnswer, { readonly kind: 'unavailable' }>;

/**
 * The fleet's table as a store offers it. Every method throws StoreUnavailableError, StoreRefusedError (also for an update that
 * makes no sense) or the signal's reason; then an update may or may not have happened.
 */
export interface TableStore {
  /** Undefined when there is no such item. */
  read(key: Key, options?: CallOptions & { readonly isConsistent?: boolean }): Promise<Item | undefined>;
  /** All items under `pk`, by `sk`; consistent. */
  query(pk: string, options?: CallOptions): Promise<ReadonlyMap<string, Item>>;
  update(update: Update, options?: CallOptions): Promise<UpdateResult>;
}
