import type { Settings } from '../config/settings.ts';
import type { RetryBudget } from '../repository/retry-budget.ts';
import { DynamoActiveVersions } from './dynamo-active-versions.ts';
import { createDynamoClient, renewDynamoConnections } from './dynamo-client.ts';
import { DynamoInstanceSnapshots } from './dynamo-instance-snapshots.ts';
import type { FleetStores, OperatorStores } from './stores.ts';
import { DynamoFleetTable } from './table/dynamo-fleet-table.ts';

/** The real ones, by the usual AWS environment. Importing this file brings DynamoDB's part of AWS's SDK with it. */
export function createDynamoStores(settings: Settings, retries: RetryBudget): FleetStores & OperatorStores {
  const client = createDynamoClient({ timeoutMs: settings.storeFirstTimeoutMs });
  const active = new DynamoActiveVersions(client, settings.table, Date.now, retries);
  return {
    active,
    activations: active,
    snapshots: new DynamoInstanceSnapshots(client, settings.table, retries),
    table: new DynamoFleetTable(client, settings.table),
    renewConnections: () => renewDynamoConnections(client),
  };
}
