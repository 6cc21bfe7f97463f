import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { DynamoInstanceSnapshots } from '../../shared/fleet/dynamo-instance-snapshots.ts';
import { DynamoKeyStore } from '../../shared/fleet/keys/dynamo-key-store.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { createTable } from './dynamo/table.ts';
import { localKey } from './local-access.ts';

export interface StoresToPrepare {
  readonly s3Endpoint: string;
  readonly dynamoEndpoint: string;
  readonly bucket: string;
  readonly table: string;
  readonly modelFolders: readonly string[];
  /** Whether the API key that is there is replaced. Default: no. */
  readonly newKey?: boolean;
  readonly onProgress: (line: string) => void;
}

/**
 * What a deployment finds in its stores: the bucket, the table, and in them the models, published by the same publisher.
 * Where a version is active already, it stays so. Gives the API key, if it has made one.
 * @throws VersionConflictError when a published version has changed
 */
export async function prepareStores(wanted: StoresToPrepare): Promise<{ readonly apiKey: string | undefined }> {
  const common = { region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const s3 = new S3Client({ ...common, endpoint: wanted.s3Endpoint });
  const dynamo = new DynamoDBClient({ ...common, endpoint: wanted.dynamoEndpoint });
  try {
    await createBucket(s3, wanted.bucket);
    await createTable(dynamo, wanted.table);
    const store = new S3PublishingStore(s3, wanted.bucket);
    const active = new DynamoActiveVersions(dynamo, wanted.table);
    await forgetInstances(new DynamoInstanceSnapshots(dynamo, wanted.table));
    for (const folder of wanted.modelFolders) {
      const manifest = await publishModel({ folder, store });
      const { id, version } = manifest;
      const current = await active.current(id);
      if (current === undefined) {
        await active.activate({ id, version, by: 'local run', request: randomUUID(), expectedSeq: 0 });
      }
      wanted.onProgress(`${modelKey(manifest)} is published, ${current?.version ?? version} is active`);
    }
    const apiKey = await localKey(new DynamoKeyStore(dynamo, wanted.table), {
      again: wanted.newKey ?? false,
      now: Date.now(),
    });
    return { apiKey };
  } finally {
    s3.destroy();
    dynamo.destroy();
  }
}

/** Those of an earlier run over the same data are gone. */
async function forgetInstances(instances: DynamoInstanceSnapshots): Promise<void> {
  const { snapshots } = await instances.readAll();
  await Promise.all(snapshots.map(({ id }) => instances.remove(id)));
}

async function createBucket(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  }
}
