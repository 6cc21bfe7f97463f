import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReadMemoryHistory, limitOf } from '../../functions/control/memory-history.ts';
import { SLOT_MS, slotOf, sumUpMemory } from '../../shared/fleet/memory/fleet-memory.ts';
import { S3MemoryHistory } from '../../shared/fleet/memory/s3-memory-history.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { testNow } from '../support/inference-app.ts';
import { s3Client, startBucket } from '../support/s3.ts';

const slot = slotOf(testNow);
const memoryAt = (at: number) => sumUpMemory({ snapshots: [snapshotOf()], unreadable: 0 }, at);

describe('the history of the fleet’s memory, by the real SDK over S3', () => {
  let s3: Awaited<ReturnType<typeof startBucket>>;
  let history: S3MemoryHistory;
  beforeAll(async () => {
    s3 = await startBucket();
    history = new S3MemoryHistory(s3.client, s3.bucket);
    // Of five slots the third has none.
    for (const n of [4, 3, 1, 0]) await history.write(slot - n * SLOT_MS, memoryAt(testNow - n * SLOT_MS));
  });
  afterAll(() => s3.close());

  it('has one snapshot of a slot, the first, whoever writes it', async () => {
    const at = slot + SLOT_MS;
    const another = new S3MemoryHistory(s3.client, s3.bucket);
    const written = await Promise.all(
      [history, another, history].map((each, n) => each.write(at, { ...memoryAt(at), unreadable: n })),
    );

    expect(written.filter((isFirst) => isFirst)).toHaveLength(1);
    const [stored] = await another.readFrom(at);
    expect(stored?.unreadable).toBe(written.indexOf(true));
  });

  it('is read from a slot on, the oldest first, what is not understood left out', async () => {
    const key = 'metrics/memory_20260102_025959.json';
    for (const [Key, Body] of [
      [key, '{"at":"of another version"}'],
      ['metrics/memory_20260102_025958.json', 'no JSON'],
      ['metrics/zzz.json', '{}'],
    ] as const) {
      await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key, Body }));
    }

    const read = await history.readFrom(slot - 3 * SLOT_MS);

    expect(read.map(({ at }) => Date.parse(at))).toEqual([3, 1, 0, -1].map((n) => slot - n * SLOT_MS));
    expect(read[0]).toEqual(memoryAt(testNow - 3 * SLOT_MS));
  });

  it('is, for control, that of as many slots as it is asked for', async () => {
    const read = createReadMemoryHistory(history, { now: () => testNow });
    const from = async (limit: number) => (await read(limit)).map(({ at }) => Date.parse(at));

    expect(await from(2)).toEqual([slot - SLOT_MS, slot, slot + SLOT_MS]);
    expect(await from(1)).toEqual([slot, slot + SLOT_MS]);
  });

  it.each(['0', '289', '1.5', 'many', '-1'])('is not given for a limit of %s', (limit) => {
    expect(() => limitOf(limit)).toThrow('limit must be a whole number from 1 to 288');
  });

  it('is of four hours where no limit is given', () => {
    expect([limitOf(undefined), limitOf('288')]).toEqual([48, 288]);
  });

  describe('over connections that died in a freeze', () => {
    let proxy: FaultProxy;
    beforeAll(async () => {
      proxy = await startFaultProxy(s3.endpoint);
    });
    afterAll(() => proxy.close());

    it('is written and read over fresh ones, after a silence in which there may have been one', async () => {
      const time = { now: testNow };
      const distant = new S3MemoryHistory(s3Client(proxy.endpoint, { maxAttempts: 1 }), s3.bucket, {
        now: () => time.now,
      });
      await distant.write(slot + 2 * SLOT_MS, memoryAt(testNow));
      proxy.deaden();
      time.now += 300_000;

      expect(await distant.write(slot + 3 * SLOT_MS, memoryAt(testNow))).toBe(true);
    });

    it('is not cut off by another call that comes after such a silence', async () => {
      const time = { now: testNow };
      const distant = new S3MemoryHistory(s3Client(proxy.endpoint, { maxAttempts: 1 }), s3.bucket, {
        now: () => time.now,
      });
      proxy.faults.bytesPerSecond = 4_000;
      const reading = distant.readFrom(slot - 4 * SLOT_MS);
      while (proxy.requests.at(-1)?.includes('list-type') !== true) await new Promise((next) => setTimeout(next, 5));
      time.now += 300_000;

      expect(await distant.write(slot + 4 * SLOT_MS, memoryAt(testNow))).toBe(true);
      expect((await reading).length).toBeGreaterThan(3);
    });
  });

  it('is not told while the store is away, or takes longer than there is time', async () => {
    const away = { readFrom: () => Promise.reject(new StoreUnavailableError('S3 is away')) };
    await expect(createReadMemoryHistory(away, { now: () => testNow })(1)).rejects.toThrow('S3 is away');

    const given: number[] = [];
    const over = (ms: number) => {
      given.push(ms);
      return AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    };
    const slow = { readFrom: (_: number, { signal }: { signal?: AbortSignal } = {}) => Promise.reject(signal?.reason) };
    await expect(createReadMemoryHistory(slow, { now: () => testNow }, over)(1)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(given).toEqual([5_000]);
  });
});
