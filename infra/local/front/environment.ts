import { join } from 'node:path';
import type { LocalFunctionOptions } from './function-options.ts';

/** How an instance was started, in Lambda's own words. */
export type InitializationType = 'on-demand' | 'provisioned-concurrency';

/** What a process needs of the machine to run at all; nothing else of the front's environment reaches a function. */
const KEPT = ['PATH', 'SystemRoot', 'windir'];

/** The environment of one instance, as Lambda sets it; its folder stands for the instance's own disk. */
export function childEnvironment(child: {
  readonly lambda: LocalFunctionOptions;
  readonly folder: string;
  readonly instance: string;
  readonly runtimeApi: string;
  readonly initialization: InitializationType;
}): Record<string, string> {
  const { lambda, folder } = child;
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const region = 'eu-central-1';
  return {
    ...Object.fromEntries(kept),
    HOME: folder,
    TMPDIR: join(folder, 'tmp'),
    TEMP: join(folder, 'tmp'),
    TZ: 'UTC',
    LANG: 'en_US.UTF-8',
    _HANDLER: lambda.handler,
    LAMBDA_TASK_ROOT: lambda.folder,
    AWS_LAMBDA_RUNTIME_API: child.runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: child.initialization,
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${lambda.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: child.instance,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    ...lambda.environment,
    // An instance has a disk of its own.
    CASALINGUA_CACHE_FOLDER: join(folder, 'cache'),
  };
}
