import type { Settings } from '../config/settings.ts';
import { lazy } from '../lazy.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import { createStoreRetries } from '../repository/retry-budget.ts';
import type { FleetStores, OperatorStores, Stores } from './stores.ts';

export interface LateStores extends Stores, OperatorStores {
  /** When AWS's SDK has arrived; rejects if it cannot be imported. */
  readonly arrived: Promise<unknown>;
}

/**
 * The stores before AWS's SDK is there: it is most of a function's JavaScript, and its import begins here without holding
 * up the start. A call that comes before it waits for its store's part of it.
 */
export function createLateStores(settings: Settings): LateStores {
  const retries = createStoreRetries();
  let here: FleetStores | undefined;
  let objectsHere: ObjectStore | undefined;
  const stores = lazy(async () => {
    const { createDynamoStores } = await import('./dynamo-stores.ts');
    const arrived = createDynamoStores(settings, retries.dynamo);
    here = arrived;
    return arrived;
  });
  const objects = lazy(async () => {
    const { createS3Client, S3ObjectStore } = await import('../repository/s3-object-store.ts');
    const arrived = new S3ObjectStore(createS3Client(), settings.bucket);
    objectsHere = arrived;
    return arrived;
  });
  // The catalog asks S3 for the ids first where they are not configured. What it asks first travels while the rest arrives.
  const arrived = settings.models.length === 0 ? inTurns(objects, stores) : inTurns(stores, objects);
  // A failure is told to whoever calls a store.
  arrived.catch(() => undefined);
  return {
    arrived,
    retries,
    objects: {
      getRange: async (key, request) => (await objects()).getRange(key, request),
      getText: async (key, options) => (await objects()).getText(key, options),
      list: async (prefix, options) => (await objects()).list(prefix, options),
      // Without the SDK there is no connection yet.
      renewConnections: () => objectsHere?.renewConnections(),
    },
    active: {
      read: async (ids, options) => (await stores()).active.read(ids, options),
    },
    activations: {
      read: async (ids, options) => (await stores()).activations.read(ids, options),
      current: async (id) => (await stores()).activations.current(id),
      activate: async (activation) => (await stores()).activations.activate(activation),
    },
    snapshots: {
      write: async (snapshot, options) => (await stores()).snapshots.write(snapshot, options),
      remove: async (id, options) => (await stores()).snapshots.remove(id, options),
      readAll: async (options) => (await stores()).snapshots.readAll(options),
    },
    table: {
      read: async (key, options) => (await stores()).table.read(key, options),
      query: async (pk, options) => (await stores()).table.query(pk, options),
      update: async (update, options) => (await stores()).table.update(update, options),
    },
    renewConnections: () => here?.renewConnections(),
  };
}

async function inTurns(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<void> {
  await first();
  await new Promise((resolve) => setImmediate(resolve));
  await second();
}
