import type { Settings } from '../config/settings.ts';
import { createStoreRetries } from '../repository/retry-budget.ts';
import type { OperatorStores, Stores } from './aws-stores.ts';

export interface LateStores extends Stores, OperatorStores {
  /** When AWS's SDK has arrived; rejects if it cannot be imported. */
  readonly arrived: Promise<unknown>;
}

/**
 * The stores before AWS's SDK is there: it is most of a function's JavaScript, and its import begins here without holding
 * up the start. A call that comes before it waits for it.
 */
export function createLateStores(settings: Settings): LateStores {
  const retries = createStoreRetries();
  const stores = import('./aws-stores.ts').then(({ createAwsStores }) => createAwsStores(settings, retries));
  let here: Stores | undefined;
  // A failure is told to whoever calls a store.
  stores.then(
    (arrived) => {
      here = arrived;
    },
    () => undefined,
  );
  return {
    arrived: stores,
    retries,
    objects: {
      getRange: async (key, request) => (await stores).objects.getRange(key, request),
      getText: async (key, options) => (await stores).objects.getText(key, options),
      list: async (prefix, options) => (await stores).objects.list(prefix, options),
      // Without the SDK there is no connection yet.
      renewConnections: () => here?.objects.renewConnections(),
    },
    active: {
      read: async (ids, options) => (await stores).active.read(ids, options),
    },
    activations: {
      read: async (ids, options) => (await stores).activations.read(ids, options),
      current: async (id) => (await stores).activations.current(id),
      activate: async (activation) => (await stores).activations.activate(activation),
    },
    snapshots: {
      write: async (snapshot, options) => (await stores).snapshots.write(snapshot, options),
      remove: async (id, options) => (await stores).snapshots.remove(id, options),
      readAll: async (options) => (await stores).snapshots.readAll(options),
    },
    table: {
      read: async (key, options) => (await stores).table.read(key, options),
      query: async (pk, options) => (await stores).table.query(pk, options),
      update: async (update, options) => (await stores).table.update(update, options),
    },
    renewConnections: () => here?.renewConnections(),
  };
}
