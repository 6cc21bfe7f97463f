import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { DynamoInstanceSnapshots } from '../../shared/fleet/dynamo-instance-snapshots.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { RetryBudget } from '../../shared/repository/retry-budget.ts';
import { manifestOf } from '../property/download-fault-store.ts';
import { snapshotOf } from '../support/fake-fleet.ts';

const clock = { now: () => 1_000_000, sleep: () => Promise.resolve() };
const away = new StoreUnavailableError('away');
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A store of objects that is away, and how often it was asked. */
function awayStore() {
  const asked = { count: 0 };
  const fail = async (): Promise<never> => {
    asked.count += 1;
    throw away;
  };
  return { asked, store: { getText: fail, list: fail, getRange: fail, renewConnections: () => {} } };
}

/** A table whose calls end so, and how often it was called. */
function clientThat(answer: () => unknown) {
  const asked = { count: 0 };
  const send = async () => {
    asked.count += 1;
    return answer();
  };
  return { asked, client: { send } as unknown as DynamoDBClient };
}

describe('who tries again spends the budget of the store', () => {
  it('in a download, for all its parts and files together', async () => {
    const { asked, store } = awayStore();
    const folder = await mkdtemp(join(tmpdir(), 'casalingua-budget-'));
    folders.push(folder);
    const cache = new FileCache({ folder, maxBytes: 200_000, identity: { own: 'me', isAlive: () => false }, clock });
    const retries = new RetryBudget({ burst: 3 });
    const settings = { partBytes: 1_000, concurrency: 6, attempts: 5, stallMs: 1_000 };
    const downloader = new Downloader({ store, cache, settings, clock, random: () => 0, retries });
    const manifest = manifestOf({ 'a.onnx': Buffer.alloc(5_000, 1), 'b.onnx': Buffer.alloc(5_000, 2) });

    for (let load = 0; load < 5; load++) {
      await expect(downloader.ensureFiles(manifest, manifest.files)).rejects.toThrow(StoreUnavailableError);
    }

    const { calls, retries: spent, refused } = retries.report();
    expect(asked.count).toBe(calls + spent);
    expect(spent).toBeLessThanOrEqual(3 + calls * 0.1);
    expect(refused).toBeGreaterThan(0);
  });

  it('in the catalog', async () => {
    const { asked, store } = awayStore();
    const retries = new RetryBudget({ burst: 1 });
    const catalog = new RepositoryCatalog({
      store,
      active: { read: async () => new Map() },
      models: [],
      pins: new Map(),
      clock,
      random: () => 0,
      retries,
      ttlMs: 0,
      storeTimeoutMs: 10,
      storeFirstTimeoutMs: 20,
    });
    await expect(catalog.models()).rejects.toThrow(StoreUnavailableError);
    expect(asked.count).toBe(2);
    expect(retries.report()).toEqual({ calls: 1, retries: 1, refused: 1 });
  });

  it('in snapshots', async () => {
    const { asked, client } = clientThat(() => {
      throw Object.assign(new Error('the socket was idle'), { name: 'TimeoutError' });
    });
    const retries = new RetryBudget({ burst: 1 });
    const snapshots = new DynamoInstanceSnapshots(client, 'table', retries);
    for (let n = 0; n < 2; n++) await expect(snapshots.write(snapshotOf())).rejects.toThrow(StoreUnavailableError);
    expect(asked.count).toBe(3);
    expect(retries.report()).toEqual({ calls: 2, retries: 1, refused: 1 });
  });

  it('in active versions, for what a batch leaves out', async () => {
    const keys = { table: { Keys: [{ pk: { S: 'MODEL#x' }, sk: { S: 'ACTIVE' } }] } };
    const { asked, client } = clientThat(() => ({ Responses: {}, UnprocessedKeys: keys }));
    const retries = new RetryBudget({ burst: 1 });
    const active = new DynamoActiveVersions(client, 'table', Date.now, retries);
    await expect(active.read(['x'])).rejects.toThrow(/left out 1 of 1/);
    expect(asked.count).toBe(2);
    expect(retries.report()).toEqual({ calls: 1, retries: 1, refused: 1 });
  });
});
