const STORED = 'casalingua.key';

/** The API key, for as long as the tab is open. */
export interface KeyStore {
  read(): string | undefined;
  write(key: string): void;
  forget(): void;
}

/** @param storage of the tab; one that refuses makes the page keep the key for itself */
export function createKeyStore(storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>): KeyStore {
  let own: string | undefined;
  return {
    read: () => own ?? tried(() => storage().getItem(STORED)) ?? undefined,
    write(key) {
      own = key;
      tried(() => storage().setItem(STORED, key));
    },
    forget() {
      own = undefined;
      tried(() => storage().removeItem(STORED));
    },
  };
}

function tried<Value>(act: () => Value): Value | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
