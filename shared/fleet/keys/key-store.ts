import type { KeyRecord } from './key-record.ts';

/** The keys as operators deal with them. Every method throws StoreUnavailableError or StoreRefusedError. */
export interface KeyStore {
  /** False when a key with this hash is there already, which is then as it was. */
  add(record: KeyRecord): Promise<boolean>;
  /** All of them, by name and then by age. */
  list(): Promise<readonly KeyRecord[]>;
  /** False when there is no such key. */
  setDisabled(hash: string, isDisabled: boolean): Promise<boolean>;
  remove(hash: string): Promise<void>;
}
