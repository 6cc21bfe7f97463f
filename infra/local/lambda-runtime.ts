import { existsSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/**
 * Plays Lambda's Node runtime in a child of the local front: loads `_HANDLER` from `LAMBDA_TASK_ROOT` and serves one
 * request after the other over the Lambda Runtime API. Bundled to plain JavaScript, since its start counts as cold start.
 */
type Handler = (event: unknown, context: Context) => unknown;

interface Invocation {
  readonly id: string;
  readonly payload: string;
  readonly context: Context;
}

const BASE = '/2018-06-01/runtime';
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let current: string | undefined;

// The front holds the other end: when it is gone there is nobody to work for.
process.stdin.on('end', () => process.exit(0)).resume();
process.on('uncaughtException', (error) => void die(error, 129));
process.on('unhandledRejection', (error) => void die(error, 128));

const handler = await load().catch(async (error: unknown) => {
  console.error(error);
  await call('POST', '/init/error', describe(error));
  process.exit(1);
});

for (;;) {
  const invocation = await next();
  current = invocation.id;
  const path = `/invocation/${invocation.id}`;
  try {
    const result = await handler(JSON.parse(invocation.payload), invocation.context);
    await call('POST', `${path}/response`, JSON.stringify(result ?? null));
  } catch (error) {
    console.error(error);
    await call('POST', `${path}/error`, describe(error));
  }
  current = undefined;
}

async function load(): Promise<Handler> {
  const root = environment('LAMBDA_TASK_ROOT');
  const [file = '', name = ''] = environment('_HANDLER').split('.');
  const path = ['.mjs', '.js', '.cjs'].map((extension) => join(root, file + extension)).find(existsSync);
  if (path === undefined) throw new Error(`Cannot find module '${file}'`);
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const exported = module[name];
  if (!isHandler(exported)) throw new Error(`${file}.${name} is undefined or not exported`);
  return exported;
}

async function next(): Promise<Invocation> {
  const { headers, body } = await call('GET', '/invocation/next');
  const id = String(headers['lambda-runtime-aws-request-id']);
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  process.env['_X_AMZN_TRACE_ID'] = String(headers['lambda-runtime-trace-id'] ?? '');
  const stop = () => {
    throw new Error('only async handlers are played here');
  };
  const context: Context = {
    callbackWaitsForEmptyEventLoop: false,
    functionName: environment('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: environment('AWS_LAMBDA_FUNCTION_VERSION'),
    invokedFunctionArn: String(headers['lambda-runtime-invoked-function-arn']),
    memoryLimitInMB: environment('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    awsRequestId: id,
    logGroupName: environment('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: environment('AWS_LAMBDA_LOG_STREAM_NAME'),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: stop,
    fail: stop,
    succeed: stop,
  };
  return { id, payload: body, context };
}

function call(
  method: 'GET' | 'POST',
  path: string,
  body?: string,
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const url = `http://${environment('AWS_LAMBDA_RUNTIME_API')}${BASE}${path}`;
    request(url, { method, agent, headers: { 'content-type': 'application/json' } }, (response) => {
      text(response).then((answer) => resolve({ headers: response.headers, body: answer }), reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/** An error that nobody caught ends the instance, and the request in it. */
async function die(error: unknown, code: number): Promise<never> {
  console.error(error);
  if (current !== undefined) await call('POST', `/invocation/${current}/error`, describe(error)).catch(() => {});
  process.exit(code);
}

function describe(error: unknown): string {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return JSON.stringify({ errorType: name, errorMessage: message, stackTrace: stack?.split('\n').slice(1) ?? [] });
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}
