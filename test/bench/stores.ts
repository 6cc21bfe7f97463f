import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoServer } from '../../infra/local/dynamo/server.ts';
import { onLoopback } from '../../infra/local/local-access.ts';
import { prepareStores } from '../../infra/local/prepare-stores.ts';
import { startS3Server } from '../../infra/local/s3/server.ts';
import { modelProcess } from '../../infra/model-process.ts';

export interface Stores {
  /** What the deployed function is started with, and nothing of this process's own environment but what programs need to run. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** S3 and DynamoDB on loopback with these models published and active. */
export async function startStores(modelFolders: readonly string[]): Promise<Stores> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  const s3 = await startS3Server({ folder });
  const dynamo = await startDynamoServer();
  const bucket = 'casalingua-models';
  const table = 'casalingua';
  await prepareStores({
    s3Endpoint: s3.endpoint,
    dynamoEndpoint: dynamo.endpoint,
    bucket,
    table,
    modelFolders,
    onProgress: () => {},
  });
  return {
    environment: {
      PATH: process.env['PATH'] ?? '',
      ...modelProcess,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      CASALINGUA_MODEL_BUCKET: bucket,
      CASALINGUA_TABLE: table,
      ...onLoopback,
      // Greedy, as every side is.
      CASALINGUA_NUM_BEAMS: '1',
    },
    async close() {
      await dynamo.close();
      await s3.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
