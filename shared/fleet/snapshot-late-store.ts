import type { Settings } from '../config/settings.ts';
import type { InstanceSnapshots } from './instance-snapshot.ts';

/** The snapshots in DynamoDB, before AWS's SDK is there: a call that comes earlier waits for it. */
export function createLateSnapshots(settings: Settings): InstanceSnapshots {
  const store = import('./dynamo-instance-snapshots.ts').then(async ({ DynamoInstanceSnapshots }) => {
    const { createDynamoClient } = await import('./dynamo-client.ts');
    return new DynamoInstanceSnapshots(createDynamoClient({ timeoutMs: settings.storeFirstTimeoutMs }), settings.table);
  });
  // A failure is told to whoever calls.
  store.catch(() => undefined);
  return {
    write: async (snapshot, options) => (await store).write(snapshot, options),
    remove: async (id, options) => (await store).remove(id, options),
    readAll: async (options) => (await store).readAll(options),
  };
}
