import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSettings } from '../../shared/config/read-settings.ts';
import type { DownloadSettings } from '../../shared/config/settings.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { manifestOf, sha256 } from '../property/download-fault-store.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/process-state.ts';
import { startBucket } from '../support/s3.ts';
import { DownloadProcess } from './repository-download-process.ts';

const KB = 1024;
/** Of one connection; a second of both brings much less than one part. */
const BYTES_PER_SECOND = 300 * KB;
/** What one short request lets through. */
const AWAKE_BYTES = 210 * KB;
const SETTINGS: DownloadSettings = { partBytes: 600 * KB, concurrency: 2, attempts: 2, stallMs: 10_000 };

describe('a download on an instance that is frozen between requests', () => {
  const content = Buffer.from(Array.from({ length: 1_500 * KB }, (_, i) => (i * 7919) % 251));
  const manifest = manifestOf({ 'model.onnx': content }, '1.0.0', 'child');
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let proxy: FaultProxy;
  let folder: string;
  let process: DownloadProcess | undefined;

  beforeEach(async () => {
    bucket = await startBucket();
    proxy = await startFaultProxy(bucket.endpoint, { bytesPerSecond: BYTES_PER_SECOND });
    folder = await mkdtemp(join(tmpdir(), 'casalingua-cache-'));
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const Key = 'models/child/1.0.0/model.onnx';
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: content }));
  });

  afterEach(async () => {
    await process?.kill();
    process = undefined;
    await proxy.close();
    await bucket.close();
    await rm(folder, { recursive: true, force: true });
  });

  function start(settings: Partial<DownloadSettings> = {}): DownloadProcess {
    process = new DownloadProcess(proxy.endpoint, {
      bucket: bucket.bucket,
      folder,
      manifestPath: join(folder, 'manifest.json'),
      settings: { ...SETTINGS, ...settings },
    });
    return process;
  }

  /** Lets so many more bytes through, unless the process ends. */
  async function awake(download: DownloadProcess, bytes = AWAKE_BYTES): Promise<void> {
    const enough = proxy.bytesSent + bytes;
    await until(() => download.hasEnded || proxy.bytesSent >= enough);
  }

  /** When the process goes on, what it takes for open connections is dead. */
  async function freeze(download: DownloadProcess): Promise<void> {
    await download.stop();
    proxy.deaden();
    download.continue();
  }

  /** Quickly: the rest says nothing new. */
  async function letItEnd(download: DownloadProcess): Promise<void> {
    delete proxy.faults.bytesPerSecond;
    await download.end();
  }

  async function expectWholeFile(): Promise<void> {
    expect(sha256(await readFile(join(folder, 'child/1.0.0/files/model.onnx')))).toBe(sha256(content));
  }

  it('comes to its end over many short requests, with hardly a byte sent twice', async () => {
    const download = start();
    let thaws = 0;

    for (await awake(download); !download.hasEnded; await awake(download)) {
      await freeze(download);
      download.tellThawed();
      thaws += 1;
    }

    await expectWholeFile();
    // Each request brings it further; two attempts would not have outlived three freezes.
    expect(thaws).toBeGreaterThan(4);
    expect(thaws).toBeLessThanOrEqual(Math.ceil((1.2 * content.length) / AWAKE_BYTES));
    expect(proxy.bytesSent).toBeLessThan(1.2 * content.length);
  });

  it('gets not one byte more after a freeze that nobody told it of, until it is told', async () => {
    const download = start();
    await awake(download);
    await freeze(download);
    const before = proxy.bytesSent;

    // Three requests long.
    await delay((3_000 * AWAKE_BYTES) / (2 * BYTES_PER_SECOND));
    const untold = proxy.bytesSent - before;
    download.tellThawed();
    await letItEnd(download);

    expect(untold).toBe(0);
    await expectWholeFile();
  });

  it('notices by itself, and keeps what it has, when a connection has been silent for long while it was awake', async () => {
    const download = start({ stallMs: 300 });
    await awake(download);
    await freeze(download);

    await letItEnd(download);

    await expectWholeFile();
    expect(proxy.bytesSent).toBeLessThan(1.2 * content.length);
  });

  it('does not take a freeze for silence: connections that outlived it are used on', async () => {
    const download = start({ stallMs: 600 });
    await awake(download);
    await download.stop();
    await delay(1_200);
    download.continue();

    await letItEnd(download);

    await expectWholeFile();
    expect(proxy.requests).toHaveLength(Math.ceil(content.length / SETTINGS.partBytes));
  });
});

describe('S3 after a freeze', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let proxy: FaultProxy;

  beforeEach(async () => {
    bucket = await startBucket();
    proxy = await startFaultProxy(bucket.endpoint);
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: 'key', Body: 'text' }));
    vi.stubEnv('AWS_ENDPOINT_URL', proxy.endpoint);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await proxy.close();
    await bucket.close();
  });

  it('is asked over fresh connections once they are renewed', async () => {
    const settings = readSettings({ CASALINGUA_MODEL_BUCKET: bucket.bucket, CASALINGUA_TABLE: 'fleet' });
    const { objects } = createLateStores(settings);
    // The SDK is not even here.
    objects.renewConnections();
    // The connection stays open for the next call.
    await objects.getText('key');
    proxy.deaden();

    objects.renewConnections();

    await expect(objects.getText('key', { signal: AbortSignal.timeout(5_000) })).resolves.toBe('text');
  });
});
