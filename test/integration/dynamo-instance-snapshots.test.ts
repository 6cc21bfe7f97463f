import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoInstanceSnapshots } from '../../shared/fleet/dynamo-instance-snapshots.ts';
import { LIVE_MS } from '../../shared/fleet/instance-snapshot.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { dynamoClient, dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';

describe.each(dynamoServers)('instance snapshots on $name', (kind) => {
  describe.skipIf(kind.missing)('as a contract', () => {
    /** A whole second: that is what the table's TTL and the stored times have. */
    const at = 1_700_000_000_000;
    let table: Awaited<ReturnType<typeof startTable>>;
    let snapshots: DynamoInstanceSnapshots;

    beforeAll(async () => {
      table = await startTable(kind);
      snapshots = new DynamoInstanceSnapshots(table.client, table.tableName);
    });
    afterAll(() => table.close());

    async function items() {
      const shards = [0, 1, 2, 3].map((shard) =>
        table.client.send(
          new QueryCommand({
            TableName: table.tableName,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: `INSTANCES#${shard}` } },
          }),
        ),
      );
      return (await Promise.all(shards)).map(({ Items = [] }) => Items);
    }
    async function seen(id: string) {
      return (await snapshots.readAll()).snapshots.find((snapshot) => snapshot.id === id);
    }

    it('reads back what was written, the latest of each instance', async () => {
      const models = [modelStatus({ startedAt: at - 5_000 })];
      const snapshot = snapshotOf({ id: 'repeated', at, startedAt: at - 60_000, models });

      await snapshots.write(snapshotOf({ id: 'repeated', at: at - 30_000 }));
      await snapshots.write(snapshot);

      expect(await seen('repeated')).toEqual(snapshot);
    });

    it('leaves it to readers to see that an instance has expired', async () => {
      await snapshots.write(snapshotOf({ id: 'expired', at, expiresAt: at + LIVE_MS }));
      expect(await seen('expired')).toMatchObject({ at, expiresAt: at + LIVE_MS });
    });

    it('takes an instance out, and one that is not there without complaint', async () => {
      await snapshots.write(snapshotOf({ id: 'ended', at }));

      await snapshots.remove('ended');
      await snapshots.remove('ended');

      expect(await seen('ended')).toBeUndefined();
    });

    it('spreads the instances over its shards', async () => {
      await Promise.all(Array.from({ length: 40 }, (_, n) => snapshots.write(snapshotOf({ id: `spread-${n}`, at }))));
      for (const shard of await items()) expect(shard.length).toBeGreaterThan(0);
    });

    it('pays one write unit for a dozen busy models, broken ones among them', async () => {
      const error = { code: 'STORE_UNAVAILABLE', message: 'DynamoDB did not answer. '.repeat(10), retryable: true };
      const times = { startedAt: at - 86_400_000, readyAt: at - 86_000_000, lastUsedAt: at - 1_000 };
      const models = Array.from({ length: 14 }, (_, n) =>
        modelStatus({
          id: `translate-en-${n + 10}`,
          version: '1.12.3',
          ...times,
          ...(n < 2 ? { state: 'UNLOADED' } : {}),
          ...(n > 10 ? { state: 'FAILED', error } : {}),
        }),
      );

      await snapshots.write(snapshotOf({ id: 'AbCdEfGhIjKl', at, models }));

      const item = (await items()).flat().find(({ sk }) => sk?.S === 'AbCdEfGhIjKl');
      if (item === undefined) throw new Error('it was not written');
      const again = new PutItemCommand({ TableName: table.tableName, Item: item, ReturnConsumedCapacity: 'TOTAL' });
      expect((await table.client.send(again)).ConsumedCapacity?.CapacityUnits).toBe(1);
      expect((await seen('AbCdEfGhIjKl'))?.report.models.filter(({ state }) => state === 'READY')).toHaveLength(9);
    });

    it('counts items of another version, and reads the others', async () => {
      const { unreadable } = await snapshots.readAll();
      const Item = { pk: { S: 'INSTANCES#0' }, sk: { S: 'from the future' }, s: { S: '[99]' } };
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));

      const read = await snapshots.readAll();

      expect(read.unreadable).toBe(unreadable + 1);
      expect(read.snapshots.length).toBeGreaterThan(0);
    });

    it('reads on where an answer ends at 1 MB', async () => {
      const Items = Array.from({ length: 4 }, (_, n) => ({
        pk: { S: 'INSTANCES#1' },
        sk: { S: `long-${n}` },
        s: { S: 'x'.repeat(380_000) },
      }));
      for (const Item of Items) await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
      const { unreadable } = await snapshots.readAll();
      expect(unreadable).toBeGreaterThanOrEqual(4);
    });

    it('tries once more over a connection that slept through a freeze, and not for ever', async () => {
      const client = dynamoClient(table.endpoint);
      let failures = 1;
      client.middlewareStack.add((next) => async (args) => {
        failures -= 1;
        if (failures >= 0) throw Object.assign(new Error('the socket was idle'), { name: 'TimeoutError' });
        return next(args);
      });
      const waking = new DynamoInstanceSnapshots(client, table.tableName);

      await waking.write(snapshotOf({ id: 'woken', at }));
      expect(await seen('woken')).toBeDefined();

      failures = 2;
      await expect(waking.write(snapshotOf({ id: 'woken', at }))).rejects.toThrow(StoreUnavailableError);
      client.destroy();
    });

    it('tells a table that is not there from a store that does not answer', async () => {
      const elsewhere = new DynamoInstanceSnapshots(table.client, 'no-such-table');
      await expect(elsewhere.readAll()).rejects.toThrow(StoreRefusedError);
      await expect(elsewhere.write(snapshotOf())).rejects.toThrow(StoreRefusedError);

      const client = dynamoClient('http://127.0.0.1:1');
      const away = new DynamoInstanceSnapshots(client, 'casalingua');
      await expect(away.readAll()).rejects.toThrow(StoreUnavailableError);
      await expect(away.write(snapshotOf())).rejects.toThrow(StoreUnavailableError);
      await expect(away.remove('x')).rejects.toThrow(StoreUnavailableError);
      client.destroy();
    });

    it("ends with the caller's reason when it is aborted", async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(snapshots.readAll({ signal })).rejects.toThrow('enough');
      await expect(snapshots.write(snapshotOf(), { signal })).rejects.toThrow('enough');
    });
  });
});
