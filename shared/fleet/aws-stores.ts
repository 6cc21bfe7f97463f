import type { Settings } from '../config/settings.ts';
import type { ActiveVersionReader } from '../repository/active-version-reader.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import type { StoreRetries } from '../repository/retry-budget.ts';
import { createS3Client, S3ObjectStore } from '../repository/s3-object-store.ts';
import type { ActiveVersions } from './active-versions.ts';
import { DynamoActiveVersions } from './dynamo-active-versions.ts';
import { createDynamoClient, renewDynamoConnections } from './dynamo-client.ts';
import { DynamoInstanceSnapshots } from './dynamo-instance-snapshots.ts';
import type { InstanceSnapshots } from './instance-snapshot.ts';
import { DynamoFleetTable } from './table/dynamo-fleet-table.ts';
import type { TableStore } from './table/table-store.ts';

/** What the functions keep in S3 and DynamoDB. */
export interface Stores {
  readonly objects: ObjectStore;
  readonly active: ActiveVersionReader;
  readonly snapshots: InstanceSnapshots;
  /** All else that the fleet shares. */
  readonly table: TableStore;
  /** Drops DynamoDB's connections: after a freeze they are dead, and would cost the first call its time. S3's are the downloader's to renew. */
  renewConnections(): void;
  /** What trying again may add to their load. */
  readonly retries: StoreRetries;
}

/** The active versions for whoever changes them, or wants to know who did. */
export interface OperatorStores {
  readonly activations: ActiveVersions;
}

/** The real ones, by the usual AWS environment. Importing this file brings AWS's SDK with it. */
export function createAwsStores(settings: Settings, retries: StoreRetries): Stores & OperatorStores {
  const client = createDynamoClient({ timeoutMs: settings.storeFirstTimeoutMs });
  const active = new DynamoActiveVersions(client, settings.table, Date.now, retries.dynamo);
  return {
    objects: new S3ObjectStore(createS3Client(), settings.bucket),
    active,
    activations: active,
    snapshots: new DynamoInstanceSnapshots(client, settings.table, retries.dynamo),
    table: new DynamoFleetTable(client, settings.table),
    renewConnections: () => renewDynamoConnections(client),
    retries,
  };
}
