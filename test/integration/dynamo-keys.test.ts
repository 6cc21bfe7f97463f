import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey, disable, listKeys, NoSuchKeyError, remove } from '../../infra/keys/commands.ts';
import { ApiKeys } from '../../shared/fleet/keys/api-keys.ts';
import { DynamoKeyStore } from '../../shared/fleet/keys/dynamo-key-store.ts';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { dynamoClient, dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { keyRecord, numberedKey } from '../support/key-stage.ts';

const now = Date.UTC(2026, 0, 2);
const wanted = { name: 'housing', scopes: ['infer', 'read'], limits: {}, by: 'alice', until: undefined } as const;

/** Keys as operators make them and as functions read them, by the real SDK. */
for (const kind of dynamoServers) {
  const title = kind.missing === undefined ? `on ${kind.name}` : `on ${kind.name} (skipped: ${kind.missing})`;

  describe.skipIf(kind.missing !== undefined)(`API keys ${title}`, () => {
    let table: Awaited<ReturnType<typeof startTable>>;
    let store: DynamoKeyStore;
    beforeAll(async () => {
      table = await startTable(kind);
      store = new DynamoKeyStore(table.client, table.tableName);
    });
    afterAll(() => table.close());

    /** An instance that has just started. */
    const lookUp = (key: string) => {
      const clock = { now: () => now };
      const calls = createTableCalls({
        store: new DynamoFleetTable(table.client, table.tableName),
        clock,
        timeoutMs: 5_000,
        firstTimeoutMs: 5_000,
        log: { error: (event, fields) => expect.fail(`${event} ${JSON.stringify(fields)}`) },
      });
      return new ApiKeys({ table: calls, clock, ttlMs: 60_000 }).lookUp(key, { asksForStrangers: true });
    };

    it('are made, found by the functions, disabled, enabled and removed', async () => {
      const limits = { charactersPerMinute: 1_000, requestsPerMinute: 10 };
      const { key, shown } = await createKey(store, { ...wanted, limits, until: now + 1 }, now);

      expect(await lookUp(key)).toMatchObject({ kind: 'valid', subject: 'housing', limits });
      expect(await listKeys(store, now)).toEqual([
        expect.objectContaining({ id: shown.id, name: 'housing', by: 'alice', isDisabled: false, isExpired: false }),
      ]);
      expect((await listKeys(store, now + 1))[0]?.isExpired).toBe(true);

      expect(await disable(store, 'housing', true, now)).toMatchObject({ isDisabled: true });
      expect(await lookUp(key)).toEqual({ kind: 'invalid' });
      await disable(store, shown.id.slice(0, 6), false, now);
      expect(await lookUp(key)).toMatchObject({ kind: 'valid' });
      // By the key itself, for who has found one where it should not be.
      await remove(store, key, now);
      expect(await lookUp(key)).toEqual({ kind: 'invalid' });
      expect(await listKeys(store, now)).toEqual([]);
    });

    it('of one name are told apart by their ids', async () => {
      const first = await createKey(store, wanted, now);
      const second = await createKey(store, wanted, now + 1);

      await expect(disable(store, 'housing', true, now)).rejects.toThrow(
        new RegExp(`2 keys are meant by housing.*${first.shown.id}, ${second.shown.id}`),
      );
      await remove(store, first.shown.id, now);
      await remove(store, 'housing', now);
      await expect(remove(store, 'housing', now)).rejects.toThrow(NoSuchKeyError);
      const gone = await remove(store, first.key, now).catch((error: Error) => error.message);
      expect(gone).toBe('there is no such key');
    });

    it('are never replaced, while an answer that was lost is recognised', async () => {
      const record = keyRecord(numberedKey(7), { createdAt: now });
      expect(await store.add(record)).toBe(true);
      expect(await store.add(record)).toBe(true);
      expect(await store.add({ ...record, by: 'mallory', scopes: ['admin'] })).toBe(false);
      expect((await store.list())[0]?.scopes).toEqual(['infer']);
      expect(await store.setDisabled(numberedKey(8), true)).toBe(false);
      expect(await store.list()).toHaveLength(1);
      await store.remove(record.hash);
    });

    it('are listed over many pages, and nothing else is', async () => {
      const Items = Array.from({ length: 6 }, (_, n) => ({
        pk: { S: `OTHER#${n}` },
        sk: { S: 'KEY' },
        filler: { S: 'x'.repeat(390_000) },
      }));
      for (const Item of Items) await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
      const strange = {
        pk: { S: 'KEY#strange' },
        sk: { S: 'KEY' },
        sha256: { S: 'another' },
        name: { S: 'no key' },
        scopes: { SS: ['admin'] },
      };
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: strange }));
      const made = await Promise.all(['c', 'a', 'b'].map((name) => createKey(store, { ...wanted, name }, now)));

      expect((await listKeys(store, now)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
      for (const { shown } of made) await remove(store, shown.id, now);
    });

    it('tell a table that is not there from a store that does not answer', async () => {
      const elsewhere = new DynamoKeyStore(table.client, 'no-such-table');
      await expect(elsewhere.list()).rejects.toThrow(StoreRefusedError);
      await expect(elsewhere.remove('x')).rejects.toThrow(StoreRefusedError);
      const client = dynamoClient('http://127.0.0.1:1');
      const away = new DynamoKeyStore(client, 'casalingua');
      await expect(away.list()).rejects.toThrow(StoreUnavailableError);
      await expect(away.remove('x')).rejects.toThrow(StoreUnavailableError);
      client.destroy();
    });
  });
}
