import type { Settings } from '../config/settings.ts';
import { systemClock } from '../repository/clock.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import { RepositoryCatalog } from '../repository/repository-catalog.ts';
import { DynamoActiveVersions } from './dynamo-active-versions.ts';
import { createDynamoClient } from './dynamo-client.ts';

/** The catalog as every function has it: manifests from S3, active versions from DynamoDB. */
export function createFleetCatalog(settings: Settings, store: ObjectStore): RepositoryCatalog {
  const { models, pins, catalogTtlMs, storeTimeoutMs, storeFirstTimeoutMs } = settings;
  const client = createDynamoClient({ timeoutMs: storeFirstTimeoutMs });
  return new RepositoryCatalog({
    store,
    active: new DynamoActiveVersions(client, settings.table),
    models,
    pins,
    clock: systemClock,
    random: Math.random,
    ttlMs: catalogTtlMs,
    storeTimeoutMs,
    storeFirstTimeoutMs,
  });
}
