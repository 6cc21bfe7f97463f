import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { systemClock } from '../repository/clock.ts';
import { retry } from '../repository/retry.ts';
import type { RetryBudget } from '../repository/retry-budget.ts';
import { mapDynamoError } from './dynamo-errors.ts';
import { instanceShards, shardOf } from './instance-shards.ts';
import type { InstanceSnapshot, InstanceSnapshots, SnapshotsRead } from './instance-snapshot.ts';
import { decodeSnapshot, encodeSnapshot } from './instance-snapshot-code.ts';

type Item = Record<string, AttributeValue>;
type Options = { readonly signal?: AbortSignal };

/** What DynamoDB counts as one write. */
const WRITE_UNIT_BYTES = 1024;
const ATTEMPTS = 2;

/** `InstanceSnapshots` on the fleet's table: `pk=INSTANCES#<shard>`, `sk=<instance id>`, the table's TTL on `expires`. */
export class DynamoInstanceSnapshots implements InstanceSnapshots {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #retries: RetryBudget | undefined;

  /** @param retries of the table, for all who call it; default: none */
  constructor(client: DynamoDBClient, table: string, retries?: RetryBudget) {
    this.#client = client;
    this.#table = table;
    this.#retries = retries;
  }

  async write(snapshot: InstanceSnapshot, { signal }: Options = {}): Promise<void> {
    const rest = {
      ...keyOf(snapshot.id),
      at: { N: String(snapshot.at) },
      // TTL wants seconds; it deletes late, so readers look at it themselves.
      expires: { N: String(Math.floor(snapshot.expiresAt / 1000)) },
    };
    const body = encodeSnapshot(snapshot, WRITE_UNIT_BYTES - itemBytes({ ...rest, s: { S: '' } }));
    const command = new PutItemCommand({ TableName: this.#table, Item: { ...rest, s: { S: body } } });
    await this.#call(() => this.#client.send(command, optionsOf(signal)), signal);
  }

  async remove(id: string, { signal }: Options = {}): Promise<void> {
    const command = new DeleteItemCommand({ TableName: this.#table, Key: keyOf(id) });
    await this.#call(() => this.#client.send(command, optionsOf(signal)), signal);
  }

  async readAll({ signal }: Options = {}): Promise<SnapshotsRead> {
    const read = () => Promise.all(instanceShards.map((shard) => this.#readShard(shard, signal)));
    const items = (await this.#call(read, signal)).flat();
    const snapshots = items.map(toSnapshot).filter((snapshot) => snapshot !== undefined);
    return { snapshots, unreadable: items.length - snapshots.length };
  }

  async #readShard(shard: string, signal: AbortSignal | undefined): Promise<Item[]> {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: shard } },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
        optionsOf(signal),
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  /** Tries twice: a connection that slept through a freeze fails the first call that is made over it. */
  async #call<Answer>(call: () => Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    const attempt = async () => {
      try {
        return await call();
      } catch (thrown) {
        throw mapDynamoError(thrown, 'instance snapshots', signal);
      }
    };
    return retry(attempt, {
      attempts: ATTEMPTS,
      clock: systemClock,
      random: Math.random,
      budget: this.#retries,
      ...optionalSignal(signal),
    });
  }
}

function optionsOf(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function optionalSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function keyOf(id: string): Item {
  return { pk: { S: shardOf(id) }, sk: { S: id } };
}

function toSnapshot(item: Item): InstanceSnapshot | undefined {
  return decodeSnapshot({
    id: item['sk']?.S ?? '',
    at: Number(item['at']?.N ?? 0),
    expiresAt: Number(item['expires']?.N ?? 0) * 1000,
    body: item['s']?.S ?? '',
  });
}

/** As DynamoDB counts: names and texts in UTF-8, a number as a byte for two digits and two more. */
function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, { S, N }]) => {
    const value = S === undefined ? Math.ceil((N ?? '').length / 2) + 2 : Buffer.byteLength(S);
    return sum + Buffer.byteLength(name) + value;
  }, 0);
}
