import { appendFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader, type DownloadProgress } from '../../shared/repository/download.ts';
import { FileCorruptError, StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import { S3ObjectStore } from '../../shared/repository/s3-object-store.ts';
import { manifestOf, sha256 } from '../property/download-fault-store.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/process-state.ts';
import { s3Client, startBucket } from '../support/s3.ts';
import { DownloadProcess } from './repository-download-process.ts';

const KB = 1024;
const PART_BYTES = 256 * KB;

describe('a download from S3', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let proxy: FaultProxy;
  let folder: string;
  let downloader: Downloader;
  let manifest: Manifest;
  const small = Buffer.from('{"vocab": []}');
  const large = Buffer.from(Array.from({ length: 1100 * KB }, (_, i) => (i * 7919) % 251));

  beforeEach(async () => {
    bucket = await startBucket();
    proxy = await startFaultProxy(bucket.endpoint);
    folder = await mkdtemp(join(tmpdir(), 'casalingua-cache-'));
    const cache = new FileCache({ folder, maxBytes: 10_000 * KB, identity: thisProcess(), clock: systemClock });
    downloader = new Downloader({
      store: new S3ObjectStore(s3Client(proxy.endpoint), bucket.bucket),
      cache,
      settings: { partBytes: PART_BYTES, concurrency: 4, attempts: 3, stallMs: 5_000 },
      clock: { now: systemClock.now, sleep: () => Promise.resolve() },
      random: Math.random,
    });
    manifest = manifestOf({ 'onnx/large.onnx': large, 'tokenizer.json': small });
    await put('onnx/large.onnx', large);
    await put('tokenizer.json', small);
  });

  afterEach(async () => {
    await proxy.close();
    await bucket.close();
    await rm(folder, { recursive: true, force: true });
  });

  function put(path: string, body: Buffer): Promise<unknown> {
    const Key = `models/toy/1.0.0/${path}`;
    return bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: body }));
  }

  function gets(path: string): number {
    return proxy.requests.filter((request) => request.startsWith('GET') && request.includes(path)).length;
  }

  it('brings every file, in parts, and reports its progress', async () => {
    const seen: DownloadProgress[] = [];

    const paths = await downloader.ensureFiles(manifest, manifest.files, { onProgress: (p) => seen.push(p) });

    expect(sha256(await readFile(paths.get('onnx/large.onnx') ?? ''))).toBe(sha256(large));
    expect(sha256(await readFile(paths.get('tokenizer.json') ?? ''))).toBe(sha256(small));
    expect(gets('large.onnx')).toBe(5);
    expect(gets('tokenizer.json')).toBe(1);
    const total = large.length + small.length;
    expect(seen.at(-1)).toEqual({ bytesDone: total, bytesResumed: 0, bytesTotal: total });
    expect(seen.map(({ bytesDone }) => bytesDone)).toEqual(
      seen.map(({ bytesDone }) => bytesDone).sort((a, b) => a - b),
    );
  });

  it('asks for nothing that is there', async () => {
    await downloader.ensureFiles(manifest, manifest.files);
    const before = proxy.requests.length;

    await downloader.ensureFiles(manifest, manifest.files);

    expect(proxy.requests.length).toBe(before);
  });

  it('outlives refusals and cut connections', async () => {
    proxy.faults.refuse = 2;
    proxy.faults.cut = 2;
    proxy.faults.cutAfterBytes = 100 * KB;

    const paths = await downloader.ensureFiles(manifest, manifest.files);

    expect(sha256(await readFile(paths.get('onnx/large.onnx') ?? ''))).toBe(sha256(large));
  });

  it('gives up after its attempts, retryable, and goes on from there the next time', async () => {
    let served = 0;
    proxy.faults.refuse = Number.POSITIVE_INFINITY;
    proxy.faults.only = ({ url }) => url.includes('large.onnx') && ++served > 3;

    await expect(downloader.ensureFiles(manifest, manifest.files)).rejects.toThrow(StoreUnavailableError);

    proxy.faults.refuse = 0;
    const before = gets('large.onnx');
    await downloader.ensureFiles(manifest, manifest.files);
    expect(gets('large.onnx') - before).toBeLessThan(5);
  });

  it.each([
    ['other bytes', Buffer.alloc(large.length, 'x'), `the manifest says ${sha256(large)}`],
    ['another size', large.subarray(1), `the manifest says ${large.length}`],
    ['nothing in it', Buffer.alloc(0), 'is shorter than the manifest says'],
  ])(
    'names the model and the file when the source has %s, asks no further, and keeps nothing of it',
    async (_, body, told) => {
      await put('onnx/large.onnx', body);

      const download = downloader.ensureFiles(manifest, manifest.files);

      await expect(download).rejects.toThrow(FileCorruptError);
      await expect(download).rejects.toThrow('toy@1.0.0: onnx/large.onnx');
      await expect(download).rejects.toThrow(told);
      expect(gets('large.onnx')).toBeLessThanOrEqual(5);
      const left = (await readdir(folder, { recursive: true })).filter((name) => name.includes(sha256(large)));
      expect(left).toEqual([]);
    },
  );

  it('recovers when a good file takes the place of a bad one', async () => {
    await put('onnx/large.onnx', Buffer.alloc(large.length));
    await expect(downloader.ensureFiles(manifest, manifest.files)).rejects.toThrow(FileCorruptError);
    await put('onnx/large.onnx', large);

    const paths = await downloader.ensureFiles(manifest, manifest.files);

    expect(sha256(await readFile(paths.get('onnx/large.onnx') ?? ''))).toBe(sha256(large));
  });

  it('takes a missing file for a broken version, and a missing bucket for a broken configuration', async () => {
    const more = manifestOf({ 'onnx/large.onnx': large, 'missing.json': small });
    await expect(downloader.ensureFiles(more, more.files)).rejects.toThrow('missing.json is missing in the repository');

    const store = new S3ObjectStore(bucket.client, 'no-such-bucket');
    await expect(store.getRange('x', { start: 0, end: 1 })).rejects.toThrow(StoreRefusedError);
  });

  it('never mixes two objects: a part asks for the very object that the first part came from', async () => {
    const store = new S3ObjectStore(bucket.client, bucket.bucket);
    const key = 'models/toy/1.0.0/tokenizer.json';
    const { etag, chunks } = await store.getRange(key, { start: 0, end: 2 });
    expect(await text(chunks)).toBe('{"');
    await put('tokenizer.json', Buffer.from('{"vocab": {}}'));

    await expect(store.getRange(key, { start: 2, end: 4, ifMatch: etag })).rejects.toMatchObject({
      code: 'OBJECT_CHANGED',
    });
  });

  it("ends with the caller's reason when it is aborted, and keeps what was finished", async () => {
    const stop = new AbortController();
    const download = downloader.ensureFiles(manifest, manifest.files, {
      signal: stop.signal,
      onProgress: ({ bytesDone }) => {
        if (bytesDone > 2 * PART_BYTES) {
          stop.abort(new Error('no longer wanted'));
        }
      },
    });
    await expect(download).rejects.toThrow('no longer wanted');
    const seen: DownloadProgress[] = [];

    await downloader.ensureFiles(manifest, manifest.files, { onProgress: (progress) => seen.push(progress) });

    expect(Math.max(...seen.slice(0, 2).map(({ bytesDone }) => bytesDone))).toBeGreaterThanOrEqual(PART_BYTES);
    const last = seen.at(-1);
    expect(last?.bytesResumed).toBeGreaterThanOrEqual(PART_BYTES);
    expect(last?.bytesResumed).toBeLessThan(last?.bytesTotal ?? 0);
  });

  it.each([
    ['another size', (path: string) => appendFile(path, 'x')],
    ['another time and other bytes', (path: string) => writeFile(path, Buffer.alloc(large.length))],
  ])('replaces a file on disk that has %s', async (_, spoil) => {
    const paths = await downloader.ensureFiles(manifest, manifest.files);
    await spoil(paths.get('onnx/large.onnx') ?? '');

    const again = await downloader.ensureFiles(manifest, manifest.files);

    expect(sha256(await readFile(again.get('onnx/large.onnx') ?? ''))).toBe(sha256(large));
  });

  it('hashes a file again, and no more, when only its time has changed', async () => {
    const paths = await downloader.ensureFiles(manifest, manifest.files);
    await utimes(paths.get('tokenizer.json') ?? '', 1, 1);
    const before = proxy.requests.length;

    await downloader.ensureFiles(manifest, manifest.files);

    expect(proxy.requests.length).toBe(before);
    const record = JSON.parse(await readFile(join(folder, 'toy/1.0.0/verified.json'), 'utf8')) as object;
    expect(record).toMatchObject({ 'tokenizer.json': { mtimeMs: 1000 } });
  });

  it('goes on where a killed process ended, within a part', async () => {
    const files = { 'onnx/large.onnx': large };
    const killed = manifestOf(files, '1.0.0', 'child');
    const Key = 'models/child/1.0.0/onnx/large.onnx';
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: large }));
    const manifestPath = join(folder, 'manifest-of-the-test.json');
    await writeFile(manifestPath, JSON.stringify(killed));
    proxy.faults.bytesPerSecond = 100 * KB;
    const settings = { partBytes: large.length, concurrency: 1, attempts: 3, stallMs: 5_000 };
    const process = new DownloadProcess(proxy.endpoint, { bucket: bucket.bucket, folder, manifestPath, settings });
    await until(() => process.bytesDone > 0);
    await process.kill();
    // About a second's bytes: slow ones are not held back until they are worth a large write.
    expect(process.bytesDone).toBeLessThan(300 * KB);
    delete proxy.faults.bytesPerSecond;
    const resumedFrom: number[] = [];

    const paths = await downloader.ensureFiles(killed, killed.files, {
      onProgress: ({ bytesDone }) => resumedFrom.push(bytesDone),
    });

    expect(resumedFrom[0]).toBeGreaterThanOrEqual(process.bytesDone);
    expect(resumedFrom[0]).toBeLessThan(large.length);
    expect(sha256(await readFile(paths.get('onnx/large.onnx') ?? ''))).toBe(sha256(large));
    expect((await stat(paths.get('onnx/large.onnx') ?? '')).size).toBe(large.length);
  });
});
