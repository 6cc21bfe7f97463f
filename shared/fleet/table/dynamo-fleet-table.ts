import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mapDynamoError } from '../dynamo-errors.ts';
import { renderUpdate } from './dynamo-expressions.ts';
import { type DynamoItem, decodeItem, encodeKey } from './dynamo-items.ts';
import type { Item, Key, Update } from './fleet-table.ts';
import type { CallOptions, TableStore, UpdateResult } from './table-store.ts';

/** `TableStore` on the fleet's table in DynamoDB. */
export class DynamoFleetTable implements TableStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(
    key: Key,
    { signal, isConsistent = false }: CallOptions & { readonly isConsistent?: boolean } = {},
  ): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.#table, Key: encodeKey(key), ConsistentRead: isConsistent });
    const { Item } = await this.#call('READ', () => this.#client.send(command, optionsOf(signal)), signal);
    return Item === undefined ? undefined : decodeItem(Item);
  }

  async query(pk: string, { signal }: CallOptions = {}): Promise<ReadonlyMap<string, Item>> {
    const items = new Map<string, Item>();
    let from: DynamoItem | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        ConsistentRead: true,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const page = await this.#call('QUERY', () => this.#client.send(command, optionsOf(signal)), signal);
      for (const item of page.Items ?? []) items.set(item['sk']?.S ?? '', decodeItem(item));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  async update(update: Update, { signal }: CallOptions = {}): Promise<UpdateResult> {
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: encodeKey(update.key),
      ...renderUpdate(update),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const send = async () => {
      try {
        return await this.#client.send(command, optionsOf(signal));
      } catch (thrown) {
        if (thrown instanceof ConditionalCheckFailedException) return thrown;
        throw thrown;
      }
    };
    const answer = await this.#call(update.name, send, signal);
    if (!(answer instanceof ConditionalCheckFailedException)) {
      return { kind: 'updated', item: decodeItem(answer.Attributes ?? {}) };
    }
    // Not every store hands over the item that failed the condition.
    const item =
      answer.Item === undefined
        ? await this.read(update.key, { isConsistent: true, ...optionsFrom(signal) })
        : decodeItem(answer.Item);
    return { kind: 'refused', item };
  }

  async #call<Answer>(name: string, call: () => Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    try {
      return await call();
    } catch (thrown) {
      throw mapDynamoError(thrown, `${name} of the fleet's table`, signal);
    }
  }
}

function optionsOf(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function optionsFrom(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
