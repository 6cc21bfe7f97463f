import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { SMALL_PART_BYTES } from '../../shared/repository/ranges.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { dynamoClient } from '../support/dynamo-servers.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { postJson, startLocalRun } from '../support/local-run.ts';
import { until } from '../support/process-state.ts';
import { s3Client } from '../support/s3.ts';

const modelFolder = join(import.meta.dirname, '..', '..', 'infra', 'models', 'translate-en-es');
const weights = '/translate-en-es/1.0.0/onnx/weights.bin';

/** One instance of inference, whose way to S3 leads through a proxy that can fail. */
describe('the local run in trouble', () => {
  let stack: LocalStack;
  let proxy: FaultProxy;
  beforeEach(async () => {
    proxy = await startFaultProxy(() => stack.s3Endpoint);
    stack = await startLocalRun({
      instances: { inference: 1 },
      environment: { AWS_ENDPOINT_URL_S3: proxy.endpoint, CASALINGUA_CATALOG_TTL_MS: '0' },
    });
  });
  afterEach(async () => {
    await stack.close();
    await proxy.close();
  });

  const translate = () =>
    postJson(`${stack.url}/translate`, { q: 'Where is the library?', source: 'en', target: 'es' });
  const weightRequests = () => proxy.requests.filter((request) => request.includes(weights)).length;

  it('serves the request after one whose process was killed while the model loaded', async () => {
    proxy.faults.bytesPerSecond = 20_000;
    const first = translate();
    await until(() => weightRequests() > 0);
    const { pid } = stack.instances().find(({ id }) => id.startsWith('inference')) ?? {};

    process.kill(Number(pid), 'SIGKILL');

    expect((await first).status).toBe(500);
    delete proxy.faults.bytesPerSecond;
    expect((await translate()).status).toBe(200);
  });

  it('says which model has a corrupted file, does not try again and again, and recovers with a good version', async () => {
    const size = await corruptWeights(stack);

    const refused = await translate();
    const requests = weightRequests();
    const again = await translate();

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(refused.json).toMatchObject({
      retryable: false,
      model: expect.stringContaining('translate-en-es'),
      detail: expect.stringContaining('weights.bin'),
    });
    expect(again.status).toBe(503);
    // Each part once.
    expect(requests).toBeLessThanOrEqual(Math.ceil(size / SMALL_PART_BYTES));
    expect(weightRequests()).toBe(requests);

    await activateGoodVersion(stack);

    await expect.poll(async () => (await translate()).status, { timeout: 15_000 }).toBe(200);
  });
});

/** One bit of the published weights turns. @returns their size in bytes */
async function corruptWeights(stack: LocalStack): Promise<number> {
  const client = s3Client(stack.s3Endpoint);
  const place = { Bucket: stack.environment['CASALINGUA_MODEL_BUCKET'], Key: `models${weights}` };
  const { Body } = await client.send(new GetObjectCommand(place));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
  await client.send(new PutObjectCommand({ ...place, Body: bytes }));
  client.destroy();
  return bytes.length;
}

/** Publishes the same files as 1.0.1 and activates them. */
async function activateGoodVersion(stack: LocalStack): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-model-'));
  const s3 = s3Client(stack.s3Endpoint);
  const dynamo = dynamoClient(stack.dynamoEndpoint);
  try {
    await cp(modelFolder, folder, { recursive: true });
    const description = join(folder, 'casalingua.json');
    const text = await readFile(description, 'utf8');
    await writeFile(description, text.replace('"1.0.0"', '"1.0.1"'));
    const store = new S3PublishingStore(s3, String(stack.environment['CASALINGUA_MODEL_BUCKET']));
    const { id, version } = await publishModel({ folder, store });
    const active = new DynamoActiveVersions(dynamo, String(stack.environment['CASALINGUA_TABLE']));
    const expectedSeq = (await active.current(id))?.seq ?? 0;
    await active.activate({ id, version, by: 'test', request: 'good version', expectedSeq });
  } finally {
    await rm(folder, { recursive: true });
    s3.destroy();
    dynamo.destroy();
  }
}
