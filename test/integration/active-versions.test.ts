import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { StoreRefusedError, StoreUnavailableError, VersionConflictError } from '../../shared/repository/errors.ts';
import { dynamoClient, dynamoServers, startTable } from '../support/dynamo-servers.ts';

describe.each(dynamoServers)('active versions on $name', (kind) => {
  describe.skipIf(kind.missing)('as a contract', () => {
    let table: Awaited<ReturnType<typeof startTable>>;
    let active: DynamoActiveVersions;

    beforeAll(async () => {
      table = await startTable(kind);
      active = new DynamoActiveVersions(table.client, table.tableName, () => 1_700_000_000_000);
    });

    afterAll(() => table.close());

    function wish(id: string, version: string, expectedSeq: number, request = `${id} ${version}`) {
      return { id, version, by: 'tester', request, expectedSeq };
    }

    async function wishCount(client: DynamoDBClient): Promise<number> {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: table.tableName,
          Key: { pk: { S: 'BREAKER' }, sk: { S: 'DIGEST' } },
          ConsistentRead: true,
        }),
      );
      return Number(Item?.['wish']?.N ?? 0);
    }

    it('has nothing of a model that was never activated', async () => {
      expect(await active.current('never')).toBeUndefined();
      expect(await active.read(['never'])).toEqual(new Map());
    });

    it('counts every change and remembers the version before', async () => {
      const before = await wishCount(table.client);

      const first = await active.activate(wish('counted', '1.0.0', 0));
      const second = await active.activate(wish('counted', '1.1.0', 1));

      expect(first).toEqual({
        record: {
          version: '1.0.0',
          seq: 1,
          by: 'tester',
          at: 1_700_000_000_000,
          previous: undefined,
          request: 'counted 1.0.0',
        },
        announced: true,
      });
      expect(second.record).toMatchObject({ version: '1.1.0', seq: 2, previous: '1.0.0' });
      expect(await active.current('counted')).toEqual(second.record);
      expect(await wishCount(table.client)).toBe(before + 2);
    });

    it('refuses a change that was decided on an old state, and says what is there', async () => {
      await active.activate(wish('conflict', '1.0.0', 0));

      await expect(active.activate(wish('conflict', '2.0.0', 0))).rejects.toThrow(VersionConflictError);
      await expect(active.activate(wish('conflict', '2.0.0', 5))).rejects.toThrow('1.0.0 is active (change 1)');

      expect(await active.current('conflict')).toMatchObject({ version: '1.0.0', seq: 1 });
    });

    it('recognises its own change when the first answer was lost', async () => {
      const first = await active.activate(wish('lost', '1.0.0', 0, 'the one request'));

      const again = await active.activate(wish('lost', '1.0.0', 0, 'the one request'));

      expect(again.record).toEqual(first.record);
      expect((await active.current('lost'))?.seq).toBe(1);
    });

    it('lets exactly one of many win', async () => {
      const versions = Array.from({ length: 12 }, (_, i) => `1.0.${i}`);

      const results = await Promise.allSettled(versions.map((version) => active.activate(wish('raced', version, 0))));

      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await active.current('raced'))?.seq).toBe(1);
    });

    it('reads more models at once than one call of DynamoDB takes', async () => {
      const ids = Array.from({ length: 130 }, (_, i) => `many-${i}`);
      for (const id of [ids[0], ids[99], ids[129]]) {
        await active.activate(wish(id ?? '', '3.0.0', 0));
      }

      const read = await active.read([...ids, 'many-0']);

      expect([...read.keys()].sort()).toEqual(['many-0', 'many-129', 'many-99']);
      expect(read.get('many-99')).toMatchObject({ version: '3.0.0', seq: 1 });
    });

    it('tells a table that is not there from a store that does not answer', async () => {
      const elsewhere = new DynamoActiveVersions(table.client, 'no-such-table');
      await expect(elsewhere.read(['x'])).rejects.toThrow(StoreRefusedError);

      const client = dynamoClient('http://127.0.0.1:1');
      await expect(new DynamoActiveVersions(client, 'casalingua').read(['x'])).rejects.toThrow(StoreUnavailableError);
      client.destroy();
    });

    it("ends with the caller's reason when it is aborted", async () => {
      await expect(active.read(['x'], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    });
  });
});
