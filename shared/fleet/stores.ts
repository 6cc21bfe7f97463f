import type { ActiveVersionReader } from '../repository/active-version-reader.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import type { StoreRetries } from '../repository/retry-budget.ts';
import type { ActiveVersions } from './active-versions.ts';
import type { InstanceSnapshots } from './instance-snapshot.ts';
import type { TableStore } from './table/table-store.ts';

/** What the functions keep in DynamoDB. */
export interface FleetStores {
  readonly active: ActiveVersionReader;
  readonly snapshots: InstanceSnapshots;
  /** All else that the fleet shares. */
  readonly table: TableStore;
  /** Drops DynamoDB's connections: after a freeze they are dead, and would cost the first call its time. S3's are the downloader's to renew. */
  renewConnections(): void;
}

/** What the functions keep in S3 and DynamoDB. */
export interface Stores extends FleetStores {
  readonly objects: ObjectStore;
  /** What trying again may add to their load. */
  readonly retries: StoreRetries;
}

/** The active versions for whoever changes them, or wants to know who did. */
export interface OperatorStores {
  readonly activations: ActiveVersions;
}
