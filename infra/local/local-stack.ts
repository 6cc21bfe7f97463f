import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type FunctionName, functionSettings, routes } from '../routes.ts';
import { claimFolder } from './data-folder.ts';
import { type DynamoServer, startDynamoServer } from './dynamo/server.ts';
import { type Front, type FrontLimits, type FrontNote, startFront } from './front/front.ts';
import type { LocalFunctionOptions } from './front/function-options.ts';
import { prepareStores } from './prepare-stores.ts';
import { type S3Server, startS3Server } from './s3/server.ts';

export interface LocalOptions {
  /** Where `npm run build` has put bundles and programs. */
  readonly buildFolder: string;
  /** Models to publish, and to activate where none is active yet. */
  readonly modelFolders: readonly string[];
  /** 0, the default, takes any free port. */
  readonly ports?: { readonly front?: number; readonly s3?: number; readonly dynamo?: number };
  /** Where S3 and DynamoDB keep their content between runs; without it, it goes with the stack. */
  readonly dataFolder?: string;
  /** Instances at most. Default: inference 2, control 1. */
  readonly instances?: Partial<Record<FunctionName, number>>;
  /** Further environment of the functions. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits?: Partial<FrontLimits>;
  readonly onProgress?: (line: string) => void;
  readonly onNote?: (note: FrontNote) => void;
}

export interface LocalStack {
  /** Of the front. */
  readonly url: string;
  readonly s3Endpoint: string;
  readonly dynamoEndpoint: string;
  /** What a process needs to reach the same bucket and table. */
  readonly environment: Readonly<Record<string, string>>;
  instances(): ReturnType<Front['instances']>;
  close(): Promise<void>;
}

const DEFAULT_INSTANCES: Readonly<Record<FunctionName, number>> = { inference: 2, control: 1 };

/** Part of the machine's memory that all instances together may have. */
const MEMORY_SHARE = 0.75;

/** The whole system on this machine: S3, DynamoDB, the models in them, and the front. @throws PortTakenError, FolderTakenError */
export async function startLocal(options: LocalOptions): Promise<LocalStack> {
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
    const s3: S3Server = await startS3Server({ folder: join(dataFolder, 's3'), port: ports.s3 ?? 0 });
    started.push(s3);
    const dynamo: DynamoServer = await startDynamoServer({
      port: ports.dynamo ?? 0,
      ...(options.dataFolder === undefined ? {} : { folder: join(dataFolder, 'dynamo') }),
    });
    started.push(dynamo);
    const environment = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      CASALINGUA_MODEL_BUCKET: 'casalingua-models',
      CASALINGUA_TABLE: 'casalingua',
    };
    onProgress(`S3 on ${s3.endpoint}, DynamoDB on ${dynamo.endpoint}`);
    await prepareStores({
      s3Endpoint: s3.endpoint,
      dynamoEndpoint: dynamo.endpoint,
      bucket: environment.CASALINGUA_MODEL_BUCKET,
      table: environment.CASALINGUA_TABLE,
      modelFolders: options.modelFolders,
      onProgress,
    });
    const front = await startFront({
      port: ports.front ?? 0,
      functions: functionOptions(options, { ...environment, ...options.environment }),
      routes,
      programs: {
        runtime: join(options.buildFolder, 'local', 'lambda-runtime.mjs'),
        reaper: join(options.buildFolder, 'local', 'reaper.mjs'),
      },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
    });
    started.push(front);
    return {
      url: front.url,
      s3Endpoint: s3.endpoint,
      dynamoEndpoint: dynamo.endpoint,
      environment,
      instances: () => front.instances(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Every function with its share of the machine's memory, at most what it would have when deployed. */
function functionOptions(options: LocalOptions, environment: Record<string, string>): LocalFunctionOptions[] {
  const names: readonly FunctionName[] = ['inference', 'control'];
  const instances = { ...DEFAULT_INSTANCES, ...options.instances };
  const wantedMb = names.reduce((sum, name) => sum + instances[name] * functionSettings[name].memoryMb, 0);
  const share = Math.min(1, ((totalmem() / 1024 / 1024) * MEMORY_SHARE) / wantedMb);
  return names.map((name) => ({
    name,
    folder: join(options.buildFolder, 'functions', name),
    handler: 'index.handler',
    maxInstances: instances[name],
    timeoutMs: functionSettings[name].timeoutSeconds * 1000,
    memoryMb: Math.floor(functionSettings[name].memoryMb * share),
    environment,
  }));
}
