import { DeleteItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { mapDynamoError } from '../dynamo-errors.ts';
import { DynamoFleetTable } from '../table/dynamo-fleet-table.ts';
import { type DynamoItem, decodeItem, encodeKey } from '../table/dynamo-items.ts';
import { addKey, disableKey, hashIn, type KeyRecord, keyAddress, toKeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';

/** `KeyStore` on the fleet's table. */
export class DynamoKeyStore implements KeyStore {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #table: DynamoFleetTable;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#name = table;
    this.#table = new DynamoFleetTable(client, table);
  }

  async add(record: KeyRecord): Promise<boolean> {
    const { kind, item } = await this.#table.update(addKey(record));
    // Refused with the same creation in it: an answer was lost, and the SDK has asked again.
    return kind === 'updated' || (item?.['by'] === record.by && item['at'] === record.createdAt);
  }

  /** Goes through the whole table: keys have no partition of their own, so that each is found by its hash alone. */
  async list(): Promise<readonly KeyRecord[]> {
    const records: KeyRecord[] = [];
    let from: DynamoItem | undefined;
    try {
      do {
        const page = await this.#client.send(
          new ScanCommand({
            TableName: this.#name,
            ConsistentRead: true,
            FilterExpression: 'begins_with(pk, :keys)',
            ExpressionAttributeValues: { ':keys': { S: keyAddress('').pk } },
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        );
        for (const item of page.Items ?? []) {
          const record = toKeyRecord(decodeItem(item));
          const hash = hashIn({ pk: item['pk']?.S ?? '', sk: item['sk']?.S ?? '' });
          if (record !== undefined && record.hash === hash) records.push(record);
        }
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    } catch (thrown) {
      throw mapDynamoError(thrown, 'list of keys');
    }
    return records.sort((a, b) => a.name.localeCompare(b.name) || a.createdAt - b.createdAt);
  }

  async setDisabled(hash: string, isDisabled: boolean): Promise<boolean> {
    const { kind } = await this.#table.update(disableKey(hash, isDisabled));
    return kind === 'updated';
  }

  async remove(hash: string): Promise<void> {
    try {
      await this.#client.send(new DeleteItemCommand({ TableName: this.#name, Key: encodeKey(keyAddress(hash)) }));
    } catch (thrown) {
      throw mapDynamoError(thrown, 'removal of a key');
    }
  }
}
