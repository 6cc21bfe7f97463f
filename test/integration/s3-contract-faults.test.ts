import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { s3Client, startBucket } from '../support/s3.ts';

/** The proxy that other tests put before S3 must spoil exactly what it was told to. */
describe('S3 behind the fault proxy', () => {
  let s3: Awaited<ReturnType<typeof startBucket>>;
  let proxy: FaultProxy;
  beforeEach(async () => {
    s3 = await startBucket();
    proxy = await startFaultProxy(s3.endpoint);
    await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: 'x', Body: Buffer.alloc(100_000, 7) }));
  });
  afterEach(async () => {
    await proxy.close();
    await s3.close();
  });

  const get = () => fetch(`${proxy.endpoint}/${s3.bucket}/x`);

  it('passes everything on without faults, large and signed', async () => {
    const client = s3Client(proxy.endpoint);
    const Body = Buffer.alloc(5_000_000, 3);

    await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: 'y', Body }));
    const read = await client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: 'y' }));

    expect(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    expect(proxy.requests.map((request) => request.split('?')[0])).toEqual(['PUT /models/y', 'GET /models/y']);
    client.destroy();
  });

  it('refuses as often as it was told', async () => {
    proxy.faults.refuse = 2;

    const statuses = [(await get()).status, (await get()).status, (await get()).status];

    expect(statuses).toEqual([503, 503, 200]);
  });

  it('cuts an answer off after so many bytes', async () => {
    proxy.faults.cut = 1;
    proxy.faults.cutAfterBytes = 1000;

    await expect(get().then((answer) => answer.arrayBuffer())).rejects.toThrow();

    expect((await (await get()).arrayBuffer()).byteLength).toBe(100_000);
  });

  it('leaves alone what the faults are not for', async () => {
    proxy.faults.refuse = 1;
    proxy.faults.only = ({ method }) => method === 'PUT';

    expect((await get()).status).toBe(200);
  });

  it('holds a body back until the rate is lifted', async () => {
    proxy.faults.bytesPerSecond = 20;
    const answer = await get();
    const reader = answer.body?.getReader();
    const first = await reader?.read();

    delete proxy.faults.bytesPerSecond;
    let size = first?.value?.length ?? 0;
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) size += next.value.length;

    expect(first?.value?.length).toBe(1);
    expect(size).toBe(100_000);
  });
});
