import { totalmem } from 'node:os';
import { join } from 'node:path';
import { MONITOR_PERIOD_MS } from '../../shared/fleet/breaker/fleet-rules.ts';
import { modelProcess } from '../model-process.ts';
import { type FunctionName, functionNames, functionSettings, MONITOR_FIRST_MS, routes } from '../routes.ts';
import { type Front, type FrontLimits, type FrontNote, startFront } from './front/front.ts';
import type { LocalFunctionOptions } from './front/function-options.ts';
import { onLoopback } from './local-access.ts';
import { type LocalStores, type LocalStoresOptions, startLocalStores } from './local-stores.ts';

export interface LocalOptions extends LocalStoresOptions {
  /** Where `npm run build` has put bundles and programs. */
  readonly buildFolder: string;
  /** 0, the default, takes any free port. */
  readonly ports?: { readonly front?: number; readonly s3?: number; readonly dynamo?: number };
  /** Instances at most. Default: inference 2, control 4, monitor 1. */
  readonly instances?: Partial<Record<FunctionName, number>>;
  /** Of the inference function's instances, how many are started at once and kept. Default: 0. */
  readonly provisioned?: number;
  /** Environment of the functions, where the stack itself has nothing to say. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Environment of the functions that replaces the stack's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits?: Partial<FrontLimits>;
  /** Ms from one call of the monitor to the next; default: a minute. */
  readonly monitorEveryMs?: number;
  readonly onNote?: (note: FrontNote) => void;
}

export interface LocalStack extends LocalStores {
  /** Of the front. */
  readonly url: string;
  instances(): ReturnType<Front['instances']>;
}

/** A browser asks for several files of a page at once, and each page that is open asks for figures. */
const DEFAULT_INSTANCES: Readonly<Record<FunctionName, number>> = { inference: 2, control: 4, monitor: 1 };

/** Part of the machine's memory that all instances together may have. */
const MEMORY_SHARE = 0.75;

/**
 * The whole system on this machine: S3, DynamoDB, the models in them, and the front. Resolves when the provisioned instances
 * have initialised or failed to, which a note tells. @throws PortTakenError, FolderTakenError
 */
export async function startLocal(options: LocalOptions): Promise<LocalStack> {
  const stores = await startLocalStores(options);
  const { monitorEveryMs = MONITOR_PERIOD_MS } = options;
  try {
    const front = await startFront({
      port: options.ports?.front ?? 0,
      functions: functionOptions(options, {
        ...onLoopback,
        CASALINGUA_INFERENCE_FUNCTIONS: 'inference',
        ...options.variables,
        ...stores.environment,
        ...options.environment,
      }),
      routes,
      schedules: [
        { function: 'monitor', firstMs: Math.min(MONITOR_FIRST_MS, monitorEveryMs), everyMs: monitorEveryMs },
      ],
      programs: {
        runtime: join(options.buildFolder, 'local', 'lambda-runtime.mjs'),
        reaper: join(options.buildFolder, 'local', 'reaper.mjs'),
      },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
    });
    return {
      ...stores,
      environment: {
        ...stores.environment,
        CASALINGUA_INFERENCE_FUNCTIONS: 'inference',
        AWS_ENDPOINT_URL_LAMBDA: front.invokeEndpoint,
      },
      url: front.url,
      instances: () => front.instances(),
      async close() {
        await front.close();
        await stores.close();
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** Every function with its share of the machine's memory, at most what it would have when deployed. */
function functionOptions(options: LocalOptions, environment: Record<string, string>): LocalFunctionOptions[] {
  const instances = { ...DEFAULT_INSTANCES, ...options.instances };
  const wantedMb = functionNames.reduce((sum, name) => sum + instances[name] * functionSettings[name].memoryMb, 0);
  const share = Math.min(1, ((totalmem() / 1024 / 1024) * MEMORY_SHARE) / wantedMb);
  return functionNames.map((name) => ({
    name,
    folder: join(options.buildFolder, 'functions', name),
    handler: 'index.handler',
    maxInstances: instances[name],
    provisioned: name === 'inference' ? Math.min(options.provisioned ?? 0, instances[name]) : 0,
    timeoutMs: functionSettings[name].timeoutSeconds * 1000,
    memoryMb: Math.floor(functionSettings[name].memoryMb * share),
    environment: name === 'inference' ? { ...modelProcess, ...environment } : environment,
  }));
}
