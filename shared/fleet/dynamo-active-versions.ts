import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { systemClock } from '../repository/clock.ts';
import { StoreUnavailableError, VersionConflictError } from '../repository/errors.ts';
import type { RetryBudget } from '../repository/retry-budget.ts';
import type {
  Activation,
  ActivationFence,
  ActivationResult,
  ActiveVersionRecord,
  ActiveVersions,
} from './active-versions.ts';
import { mapDynamoError } from './dynamo-errors.ts';

type Item = Record<string, AttributeValue>;

/** DynamoDB's own limit for one BatchGetItem. */
const KEYS_AT_ONCE = 100;
/** How often keys that a batch left out are asked for again. */
const BATCH_ROUNDS = 3;
/** Ms before that, at most. */
const ROUND_PAUSE_MS = 25;

/** `ActiveVersions` on the fleet's table; `now` is wall clock in ms. */
export class DynamoActiveVersions implements ActiveVersions, ActivationFence {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #now: () => number;
  readonly #retries: RetryBudget | undefined;

  /** @param retries of the table, for all who call it; default: none */
  constructor(client: DynamoDBClient, table: string, now: () => number = Date.now, retries?: RetryBudget) {
    this.#retries = retries;
    this.#client = client;
    this.#table = table;
    this.#now = now;
  }

  async read(
    ids: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, ActiveVersionRecord>> {
    const unique = [...new Set(ids)];
    const batches: Item[][] = [];
    for (let from = 0; from < unique.length; from += KEYS_AT_ONCE) {
      batches.push(unique.slice(from, from + KEYS_AT_ONCE).map(keyOf));
    }
    const items = (await Promise.all(batches.map((keys) => this.#readBatch(keys, options.signal)))).flat();
    return new Map(items.map((item) => [(item['pk']?.S ?? '').slice('MODEL#'.length), toRecord(item)]));
  }

  async current(id: string): Promise<ActiveVersionRecord | undefined> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: keyOf(id), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : toRecord(Item);
    } catch (thrown) {
      throw mapDynamoError(thrown, `active version of ${id}`);
    }
  }

  async activate(activation: Activation): Promise<ActivationResult> {
    const record = await this.#compareAndSet(activation);
    return { record, announced: await this.#announce() };
  }

  async fence({ id, request, expectedSeq }: Parameters<ActivationFence['fence']>[0]): Promise<void> {
    await this.#update(id, request, {
      UpdateExpression: 'SET seq = :next, #request = :request',
      ConditionExpression: 'seq = :expected',
      ExpressionAttributeNames: { '#request': 'request' },
      ExpressionAttributeValues: {
        ':next': { N: String(expectedSeq + 1) },
        ':expected': { N: String(expectedSeq) },
        ':request': { S: request },
      },
    });
  }

  async #compareAndSet({ id, version, by, request, expectedSeq }: Activation): Promise<ActiveVersionRecord> {
    const sets = ['version = :version', 'seq = :next', '#by = :by', '#at = :at', '#request = :request'];
    const first = expectedSeq === 0;
    return this.#update(id, request, {
      // `previous` takes what `version` was: SET reads the item as it is before the update.
      UpdateExpression: `SET ${[...sets, ...(first ? [] : ['previous = version'])].join(', ')}`,
      ConditionExpression: first ? 'attribute_not_exists(seq)' : 'seq = :expected',
      ExpressionAttributeNames: { '#by': 'by', '#at': 'at', '#request': 'request' },
      ExpressionAttributeValues: {
        ':version': { S: version },
        ':next': { N: String(expectedSeq + 1) },
        ':by': { S: by },
        ':at': { N: String(this.#now()) },
        ':request': { S: request },
        ...(first ? {} : { ':expected': { N: String(expectedSeq) } }),
      },
    });
  }

  /** One conditional write; a lost answer is recognised by the request's id. */
  async #update(
    id: string,
    request: string,
    update: Pick<
      UpdateItemCommandInput,
      'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
    >,
  ): Promise<ActiveVersionRecord> {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(id),
          ...update,
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return toRecord(Attributes ?? {});
    } catch (thrown) {
      if (!(thrown instanceof ConditionalCheckFailedException)) {
        throw mapDynamoError(thrown, `activation of ${id}`);
      }
      // Not every store hands over the item that failed the condition.
      const found = thrown.Item === undefined ? await this.current(id) : toRecord(thrown.Item);
      if (found?.request === request) {
        return found;
      }
      const state = found === undefined ? 'nothing is active' : `${found.version} is active (change ${found.seq})`;
      throw new VersionConflictError(`${id} was changed by somebody else: ${state}`, { model: id, cause: thrown });
    }
  }

  /** The activation stands whether or not this succeeds. */
  async #announce(): Promise<boolean> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { pk: { S: 'BREAKER' }, sk: { S: 'DIGEST' } },
          UpdateExpression: 'ADD wish :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        }),
      );
      return true;
    } catch {
      return false;
    }
  }

  async #readBatch(keys: readonly Item[], signal: AbortSignal | undefined): Promise<Item[]> {
    const found: Item[] = [];
    let wanted: readonly Item[] = keys;
    this.#retries?.called();
    for (let round = 0; round < BATCH_ROUNDS && wanted.length > 0; round++) {
      if (round > 0) {
        if (this.#retries?.mayRetry() === false) break;
        await systemClock.sleep(Math.random() * ROUND_PAUSE_MS, signal);
      }
      try {
        const answer = await this.#client.send(
          new BatchGetItemCommand({ RequestItems: { [this.#table]: { Keys: [...wanted] } } }),
          signal === undefined ? {} : { abortSignal: signal },
        );
        found.push(...(answer.Responses?.[this.#table] ?? []));
        wanted = answer.UnprocessedKeys?.[this.#table]?.Keys ?? [];
      } catch (thrown) {
        throw mapDynamoError(thrown, 'active versions', signal);
      }
    }
    if (wanted.length > 0) {
      throw new StoreUnavailableError(`DynamoDB left out ${wanted.length} of ${keys.length} active versions`);
    }
    return found;
  }
}

function keyOf(id: string): Item {
  return { pk: { S: `MODEL#${id}` }, sk: { S: 'ACTIVE' } };
}

function toRecord(item: Item): ActiveVersionRecord {
  return {
    version: item['version']?.S ?? '',
    seq: Number(item['seq']?.N ?? 0),
    by: item['by']?.S ?? '',
    at: Number(item['at']?.N ?? 0),
    previous: item['previous']?.S,
    request: item['request']?.S ?? '',
  };
}
