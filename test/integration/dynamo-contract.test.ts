import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTable } from '../../infra/local/dynamo/table.ts';
import { dynamoServers, startTable } from '../support/dynamo-servers.ts';

/** What the fleet's adapters rely on, by the real SDK: whatever plays DynamoDB locally must do this as the service does. */
for (const kind of dynamoServers) {
  const title = kind.missing === undefined ? `on ${kind.name}` : `on ${kind.name} (skipped: ${kind.missing})`;

  describe.skipIf(kind.missing !== undefined)(title, () => {
    let client: DynamoDBClient;
    let table: Awaited<ReturnType<typeof startTable>>;
    const TableName = 'casalingua';

    beforeAll(async () => {
      table = await startTable(kind);
      client = table.client;
    });
    afterAll(() => table.close());

    const activate = (id: string, version: string, expectedSeq: number | undefined) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: `MODEL#${id}` }, sk: { S: 'ACTIVE' } },
          UpdateExpression: 'SET #version = :version, seq = :next',
          ConditionExpression: expectedSeq === undefined ? 'attribute_not_exists(seq)' : 'seq = :expected',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: {
            ':version': { S: version },
            ':next': { N: String((expectedSeq ?? 0) + 1) },
            ...(expectedSeq === undefined ? {} : { ':expected': { N: String(expectedSeq) } }),
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
    const read = async (pk: string, sk: string) =>
      (
        await client.send(
          new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
        )
      ).Item;

    it('keeps the table that is there when it is created again', async () => {
      await client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'KEPT' }, sk: { S: 'X' } } }));

      await createTable(client, TableName);

      expect(await read('KEPT', 'X')).toBeDefined();
    });

    it('lets the first compare-and-set in and refuses a second that expects nothing', async () => {
      await activate('first', 'v1', undefined);

      await expect(activate('first', 'v2', undefined)).rejects.toBeInstanceOf(ConditionalCheckFailedException);

      expect(await read('MODEL#first', 'ACTIVE')).toMatchObject({ version: { S: 'v1' }, seq: { N: '1' } });
    });

    it('refuses a compare-and-set on a number that has moved on', async () => {
      await activate('moved', 'v1', undefined);
      await activate('moved', 'v2', 1);

      await expect(activate('moved', 'v3', 1)).rejects.toBeInstanceOf(ConditionalCheckFailedException);

      expect(await read('MODEL#moved', 'ACTIVE')).toMatchObject({ version: { S: 'v2' }, seq: { N: '2' } });
    });

    it('lets exactly one of many concurrent writers in', async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 16 }, (_, i) => activate('race', `v${i}`, undefined)),
      );

      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    });

    it('counts with ADD from nothing, losing no concurrent increment', async () => {
      const add = () =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: { pk: { S: 'BREAKER' }, sk: { S: 'DIGEST' } },
            UpdateExpression: 'ADD wish :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          }),
        );

      await Promise.all(Array.from({ length: 10 }, add));

      expect(await read('BREAKER', 'DIGEST')).toMatchObject({ wish: { N: '10' } });
    });

    it('adds voters to a set up to its limit and returns the new item', async () => {
      const vote = (me: string) =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: { pk: { S: 'VOTE#model#1' }, sk: { S: '100' } },
            UpdateExpression: 'ADD voters :me',
            ConditionExpression: 'attribute_not_exists(voters) OR size(voters) < :limit',
            ExpressionAttributeValues: { ':me': { SS: [me] }, ':limit': { N: '2' } },
            ReturnValues: 'ALL_NEW',
          }),
        );

      await vote('a');
      const second = await vote('b');

      expect(second.Attributes?.['voters']?.SS?.toSorted()).toEqual(['a', 'b']);
      await expect(vote('c')).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    });

    it('reads, sets and removes a member of a map by a condition on that member', async () => {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: {
            pk: { S: 'LOAD#m' },
            sk: { S: 'PERMITS' },
            f: { N: '1' },
            s0: { M: { o: { S: 'me' }, fence: { N: '1' } } },
          },
        }),
      );
      const release = (fence: number) =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: { pk: { S: 'LOAD#m' }, sk: { S: 'PERMITS' } },
            UpdateExpression: 'REMOVE s0',
            ConditionExpression: 's0.fence = :fence',
            ExpressionAttributeValues: { ':fence': { N: String(fence) } },
          }),
        );

      await expect(release(2)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
      await release(1);

      expect(await read('LOAD#m', 'PERMITS')).not.toHaveProperty('s0');
    });

    it('queries all items of a partition consistently', async () => {
      for (const sk of ['b', 'a']) {
        await client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'WISH' }, sk: { S: sk } } }));
      }

      const { Items } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: 'WISH' } },
          ConsistentRead: true,
        }),
      );

      expect(Items?.map((item) => item['sk']?.S)).toEqual(['a', 'b']);
    });
  });
}
