import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startS3Server } from '../../infra/local/s3/server.ts';

/** The SDK with its defaults but for `more`, for a server on loopback. */
export function s3Client(endpoint: string, more: { readonly maxAttempts?: number } = {}): S3Client {
  return new S3Client({
    ...more,
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

/** A fresh S3 on loopback with one empty bucket, in a folder that goes with it. */
export async function startBucket(): Promise<{
  client: S3Client;
  bucket: string;
  endpoint: string;
  folder: string;
  close(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-s3-'));
  const server = await startS3Server({ folder });
  const client = s3Client(server.endpoint);
  const bucket = 'models';
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    client,
    bucket,
    endpoint: server.endpoint,
    folder,
    async close() {
      client.destroy();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
