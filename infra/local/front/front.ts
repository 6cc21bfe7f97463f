import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { matchRoute } from '../../routes.ts';
import { closeServer, listenOnLoopback } from '../listen.ts';
import { gatewayAnswers, type HttpAnswer, toAnswer } from './answer.ts';
import { readBody } from './body.ts';
import { decodedPath, toEvent } from './event.ts';
import type { LocalFunctionOptions } from './function-options.ts';
import { startInvokeServer } from './invoke-server.ts';
import { type InstanceNote, LocalFunction, type Outcome } from './local-function.ts';
import { startReaper } from './reaper.ts';
import { type Schedule, type ScheduleNote, startSchedule } from './schedule.ts';

export interface FrontLimits {
  /** An initialisation; then it is tried once more in the request's time. */
  readonly initMs: number;
  /** An initialisation with provisioned concurrency; it is not tried again. */
  readonly provisionedInitMs: number;
  /** A request, as the gateway waits for it. */
  readonly gatewayMs: number;
  /** An instance without a request. */
  readonly idleMs: number;
  /** A body, as the gateway takes it. */
  readonly maxBodyBytes: number;
  /** An event or a result, as Lambda takes it. */
  readonly maxPayloadBytes: number;
}

/** The real thing's. */
export const frontLimits: FrontLimits = {
  initMs: 10_000,
  provisionedInitMs: 900_000,
  gatewayMs: 30_000,
  idleMs: 600_000,
  maxBodyBytes: 10 * 1024 * 1024,
  maxPayloadBytes: 6 * 1024 * 1024,
};

export interface RequestNote {
  readonly type: 'request';
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
}

export type FrontNote = RequestNote | InstanceNote | ScheduleNote;

export interface FrontOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly functions: readonly LocalFunctionOptions[];
  readonly routes: readonly { readonly path: string; readonly function: string }[];
  /** Functions that are called without a request, from when the provisioned instances have initialised. */
  readonly schedules?: readonly Schedule[];
  /** The bundled programs of `bundleLocalPrograms`. */
  readonly programs: { readonly runtime: string; readonly reaper: string };
  readonly limits?: Partial<FrontLimits>;
  readonly onNote?: (note: FrontNote) => void;
}

export interface Front {
  readonly url: string;
  /** For `AWS_ENDPOINT_URL_LAMBDA`: there its functions can be invoked. */
  readonly invokeEndpoint: string;
  readonly reaperPid: number | undefined;
  instances(): { readonly id: string; readonly pid: number | undefined; readonly state: string }[];
  close(): Promise<void>;
}

/**
 * An HTTP API and Lambda on loopback: every request becomes an event for one instance of the function that its path is
 * routed to. As strict as the real thing about time and sizes. Resolves when the provisioned instances have initialised; until
 * then requests get others. @throws PortTakenError
 */
export async function startFront(options: FrontOptions): Promise<Front> {
  const limits = { ...frontLimits, ...options.limits };
  const note = options.onNote ?? (() => {});
  const folder = mkdtempSync(join(tmpdir(), 'casalingua-front-'));
  const deployed = deploy(options.functions, folder);
  const reaper = startReaper(options.programs.reaper, folder);
  // Functions call each other by Lambda's own API.
  const invoker = await startInvokeServer((name, event) => functions.get(name)?.invoke(event));
  const around = { runtime: options.programs.runtime, folder, reaper, limits, note };
  const functions = new Map(
    deployed.map((one) => {
      const environment = { AWS_ENDPOINT_URL_LAMBDA: invoker.endpoint, ...one.environment };
      return [one.name, new LocalFunction({ ...one, environment }, around)];
    }),
  );
  const gateway = { functions, routes: options.routes, limits };
  const server = createServer(async (request, response) => {
    const started = performance.now();
    const requestId = randomUUID();
    const answer = await answerTo(request, requestId, gateway).catch(() => undefined);
    if (answer === undefined) {
      response.destroy();
      return;
    }
    write(response, answer, requestId);
    const path = request.url?.split('?', 1)[0] ?? '';
    note({
      type: 'request',
      method: request.method ?? '',
      path,
      status: answer.status,
      ms: performance.now() - started,
    });
  });
  const invoke = async (name: string, event: object): Promise<Outcome> =>
    (await functions.get(name)?.invoke(event)) ?? { type: 'error' };
  const closeChildren = async () => {
    await invoker.close();
    await Promise.all(Array.from(functions.values(), (one) => one.close()));
    await reaper.close();
  };
  try {
    const port = await listenOnLoopback(server, options.port ?? 0);
    await Promise.all(Array.from(functions.values(), (one) => one.open()));
    const stops = (options.schedules ?? []).map((schedule) =>
      startSchedule(schedule, (event) => invoke(schedule.function, event), note),
    );
    return {
      url: `http://127.0.0.1:${port}`,
      invokeEndpoint: invoker.endpoint,
      reaperPid: reaper.pid,
      instances: () => Array.from(functions.values()).flatMap((one) => one.instances()),
      async close() {
        for (const stop of stops) stop();
        await closeServer(server);
        await closeChildren();
      },
    };
  } catch (error) {
    await closeChildren();
    throw error;
  }
}

/** Functions with code of their own, as deployed: another build over the same folder changes nothing for who runs. */
function deploy(functions: readonly LocalFunctionOptions[], folder: string): LocalFunctionOptions[] {
  try {
    return functions.map((one) => {
      const code = join(folder, 'code', one.name);
      cpSync(one.folder, code, { recursive: true });
      return { ...one, folder: code };
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Gateway {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly routes: FrontOptions['routes'];
  readonly limits: FrontLimits;
}

/** What the gateway answers. Rejects when the client went away before its body had come. */
async function answerTo(request: IncomingMessage, requestId: string, gateway: Gateway): Promise<HttpAnswer> {
  const { method = 'GET', url = '/' } = request;
  const now = Date.now();
  const body = await readBody(request, gateway.limits.maxBodyBytes);
  if (body === 'too large') return gatewayAnswers.tooLarge;
  const path = decodedPath(url);
  if (path === undefined) return gatewayAnswers.badRequest;
  const route = matchRoute(gateway.routes, path);
  const lambda = route === undefined ? undefined : gateway.functions.get(route.function);
  if (route === undefined || lambda === undefined) return gatewayAnswers.notFound;
  const sourceIp = request.socket.remoteAddress ?? '127.0.0.1';
  const protocol = `HTTP/${request.httpVersion}`;
  const event = toEvent(
    { method, url, headers: request.headersDistinct, body, sourceIp, protocol },
    { requestId, now, route },
  );
  return toGatewayAnswer(await within(gateway.limits.gatewayMs, lambda.invoke(event)));
}

/** The gateway stops waiting; the function goes on. */
async function within(ms: number, outcome: Promise<Outcome>): Promise<Outcome | { readonly type: 'timed out' }> {
  const waiting = new AbortController();
  const timedOut = delay(ms, { type: 'timed out' } as const, { signal: waiting.signal });
  // It is only ever given up once the outcome is there.
  timedOut.catch(() => {});
  try {
    return await Promise.race([outcome, timedOut]);
  } finally {
    waiting.abort();
  }
}

function toGatewayAnswer(outcome: Outcome | { readonly type: 'timed out' }): HttpAnswer {
  switch (outcome.type) {
    case 'response':
      return toAnswer(outcome.payload) ?? gatewayAnswers.failed;
    case 'error':
      return gatewayAnswers.failed;
    case 'too large':
      return gatewayAnswers.tooLarge;
    case 'throttled':
    case 'timed out':
      return gatewayAnswers.unavailable;
  }
}

function write(response: ServerResponse, answer: HttpAnswer, requestId: string): void {
  for (const [name, value] of answer.headers) response.appendHeader(name, value);
  response.setHeader('apigw-requestid', requestId);
  response.setHeader('content-length', answer.body.length);
  response.writeHead(answer.status);
  response.end(answer.body);
}
