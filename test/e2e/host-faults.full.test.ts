import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { modelFolders } from '../support/local-run.ts';
import { makeTrouble, patience, troubled } from '../support/local-trouble.ts';
import { s3Client } from '../support/s3.ts';

const weights = 'onnx/weights.bin';
/** For which a worker may go on with a cancelled run, and some more on a busy machine. */
const HANG_PATIENCE = { timeout: 60_000, interval: 500 };

/** Faults of files, disk and heap; those of the thread are in `worker-faults.full.test.ts`. */
describe('a model', () => {
  const trouble = makeTrouble();

  it.each([
    ['while its files arrive', 'start'],
    ['in the warm-up', 'run'],
  ] as const)('whose worker is killed %s is FAILED after its attempts', async (_, at) => {
    await trouble.serve();
    trouble.failsWith({ at, what: 'exit' });

    const { status, json } = await trouble.meanwhile(trouble.ask());
    const failed = await trouble.held();
    trouble.bundle.set(undefined);

    expect({ status, code: json['code'] }).toEqual({ status: 503, code: 'MODEL_LOAD_FAILED' });
    expect(failed).toMatchObject({ state: 'FAILED', attempts: 2, error: { code: 'WORKER_CRASHED', retryable: true } });
    await trouble.expectRecovery();
  });

  it('whose worker hangs in an inference answers when it is time, and comes back in another worker', async () => {
    await trouble.serve();
    await trouble.ask();
    trouble.failsWith({ at: 'run', what: 'hang' });
    const inOneSecond = () => trouble.served.translate('en', {}, { 'x-request-deadline-ms': '1000' });

    const { status, json } = await trouble.meanwhile(inOneSecond());
    trouble.bundle.set(undefined);
    const behindIt = await inOneSecond();
    await trouble.meanwhile(
      expect.poll(async () => (await trouble.held())?.error?.message, HANG_PATIENCE).toContain('hangs'),
    );

    expect({ status, code: json['code'] }).toEqual({ status: 504, code: 'DEADLINE_EXCEEDED' });
    expect(behindIt.status).toBe(504);
    await trouble.expectRecovery();
  });

  it('whose heap is full is FAILED until its next try', async () => {
    await trouble.serve();
    trouble.bundle.limitHeap(30);

    const { status } = await trouble.meanwhile(trouble.ask());
    const failed = await trouble.held();
    trouble.bundle.limitHeap(undefined);

    expect(status).toBe(503);
    expect(failed).toMatchObject({ state: 'FAILED', error: { code: 'OUT_OF_MEMORY', retryable: true } });
    await trouble.expectRecovery();
  });

  it('whose files have no room beside those of a model in use is FAILED until its next try', async () => {
    await trouble.serve({ CASALINGUA_CACHE_MB: '20' });
    await trouble.served.translate('es', { keep_alive: -1 });

    const { status, json } = await trouble.meanwhile(trouble.ask());
    const failed = await trouble.held();
    await trouble.served.translate('es', { keep_alive: 0 });

    expect({ status, retryable: json['retryable'] }).toEqual({ status: 503, retryable: true });
    expect(failed).toMatchObject({ state: 'FAILED', error: { code: 'CACHE_FULL', retryable: true } });
    await trouble.expectRecovery();
  });

  it('that is larger than the cache is FAILED for good', async () => {
    await trouble.serve({ CASALINGUA_CACHE_MB: '10' });

    const { status, retryAfter } = await trouble.meanwhile(trouble.ask());

    expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: null });
    expect(await trouble.held()).toMatchObject({
      state: 'FAILED',
      next_try_at: null,
      error: { code: 'CACHE_FULL', retryable: false },
    });
  });

  describe('with a file that lies in the store', () => {
    const put = async (bytes: Buffer) => {
      const client = s3Client(trouble.stores.s3Endpoint);
      const Bucket = trouble.stores.environment['CASALINGUA_MODEL_BUCKET'];
      await client.send(new PutObjectCommand({ Bucket, Key: `models/${troubled}/1.0.0/${weights}`, Body: bytes }));
      client.destroy();
    };
    const original = () => readFile(join(modelFolders.find((folder) => folder.endsWith(troubled)) ?? '', weights));
    afterEach(async () => put(await original()));

    it.each<[string, (bytes: Buffer) => Buffer]>([
      ['truncated', (bytes) => bytes.subarray(0, bytes.length - 1_000)],
      ['with one bit turned', turnOneBit],
    ])('%s is FAILED for good, until it is mended and unloaded', async (_, damage) => {
      await trouble.serve();
      await put(damage(await original()));

      const { status, retryAfter, json } = await trouble.meanwhile(trouble.ask());
      const failed = await trouble.held();
      await put(await original());
      const again = await trouble.ask();
      await trouble.served.host.unload(`${troubled}@1.0.0`);

      expect({ status, retryAfter, retryable: json['retryable'] }).toEqual({
        status: 503,
        retryAfter: null,
        retryable: false,
      });
      expect(failed).toMatchObject({
        state: 'FAILED',
        next_try_at: null,
        error: { code: 'FILE_CORRUPT', retryable: false, message: expect.stringContaining(weights) },
      });
      expect(again.status).toBe(503);
      await expect.poll(async () => (await trouble.ask()).status, patience).toBe(200);
    });
  });
});

function turnOneBit(bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  const middle = damaged.length >> 1;
  damaged.writeUInt8(damaged.readUInt8(middle) ^ 1, middle);
  return damaged;
}
