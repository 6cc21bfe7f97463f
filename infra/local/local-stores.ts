import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFolder } from './data-folder.ts';
import { startDynamoServer } from './dynamo/server.ts';
import { prepareStores } from './prepare-stores.ts';
import { startS3Server } from './s3/server.ts';

export interface LocalStoresOptions {
  /** Models to publish, and to activate where none is active yet. */
  readonly modelFolders: readonly string[];
  /** 0, the default, takes any free port. */
  readonly ports?: { readonly s3?: number; readonly dynamo?: number };
  /** Where S3 and DynamoDB keep their content between runs; without it, it goes with them. */
  readonly dataFolder?: string;
  /** Whether the key that is in the content already is replaced. Default: no. */
  readonly newKey?: boolean;
  readonly onProgress?: (line: string) => void;
}

export interface LocalStores {
  readonly s3Endpoint: string;
  readonly dynamoEndpoint: string;
  /** What a process needs to reach the same bucket and table. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of an API key for everything; undefined when an earlier run over the same content has made it. */
  readonly apiKey: string | undefined;
  close(): Promise<void>;
}

const BUCKET = 'casalingua-models';
const TABLE = 'casalingua';

/** S3 and DynamoDB on loopback, with the models in them. @throws PortTakenError, FolderTakenError */
export async function startLocalStores(options: LocalStoresOptions): Promise<LocalStores> {
  const { ports = {}, onProgress = () => {} } = options;
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'casalingua-local-')));
  const claim = claimFolder(dataFolder);
  const started: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of started.toReversed()) await one.close();
    claim.release();
    if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const s3 = await startS3Server({ folder: join(dataFolder, 's3'), port: ports.s3 ?? 0 });
    started.push(s3);
    const dynamo = await startDynamoServer({
      port: ports.dynamo ?? 0,
      ...(options.dataFolder === undefined ? {} : { folder: join(dataFolder, 'dynamo') }),
    });
    started.push(dynamo);
    onProgress(`S3 on ${s3.endpoint}, DynamoDB on ${dynamo.endpoint}`);
    const { apiKey } = await prepareStores({
      s3Endpoint: s3.endpoint,
      dynamoEndpoint: dynamo.endpoint,
      bucket: BUCKET,
      table: TABLE,
      modelFolders: options.modelFolders,
      ...(options.newKey === undefined ? {} : { newKey: options.newKey }),
      onProgress,
    });
    return {
      s3Endpoint: s3.endpoint,
      dynamoEndpoint: dynamo.endpoint,
      environment: {
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
        CASALINGUA_MODEL_BUCKET: BUCKET,
        CASALINGUA_TABLE: TABLE,
      },
      apiKey,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
