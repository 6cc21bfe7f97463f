import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { closeServer, listenOnLoopback } from '../listen.ts';
import { readBody } from './body.ts';
import { childEnvironment, type InitializationType } from './environment.ts';
import type { LocalFunctionOptions } from './function-options.ts';
import type { Reaper } from './reaper.ts';

export interface Invocation {
  readonly requestId: string;
  /** The event as JSON. */
  readonly payload: string;
  /** Wall clock, ms since the epoch. */
  readonly deadline: number;
}

export type InvocationResult = { readonly type: 'response'; readonly payload: string } | { readonly type: 'error' };

/** What an instance reports; `ended` comes once and last. */
export interface InstanceEvents {
  asked(): void;
  answered(requestId: string, result: InvocationResult): void;
  ended(): void;
  /** One line of the function's own output. */
  line(line: string): void;
}

export interface InstanceOptions {
  readonly id: string;
  readonly folder: string;
  /** The bundled `lambda-runtime.ts`. */
  readonly runtime: string;
  readonly function: LocalFunctionOptions;
  readonly initialization: InitializationType;
  readonly maxResponseBytes: number;
  readonly reaper: Reaper;
}

const INVOCATION = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;
/** Windows can't stop a process: there it goes on between requests. */
const CAN_FREEZE = process.platform !== 'win32';

/** One child process and the Lambda Runtime API that it speaks to. */
export class Instance {
  readonly id: string;
  readonly #options: InstanceOptions;
  readonly #events: InstanceEvents;
  readonly #server: Server;
  #child: ChildProcess | undefined;
  #waiting: ServerResponse | undefined;
  #ended = false;

  constructor(options: InstanceOptions, events: InstanceEvents) {
    this.id = options.id;
    this.#options = options;
    this.#events = events;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    // The child may work for long between two calls over one connection.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
    void this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Wakes the child and gives it the request that it asked for. */
  invoke(invocation: Invocation): void {
    const { name } = this.#options.function;
    if (CAN_FREEZE) this.#child?.kill('SIGCONT');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.requestId,
      'lambda-runtime-deadline-ms': String(invocation.deadline),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:local:000000000000:function:${name}`,
      'lambda-runtime-trace-id': `Root=1-0-${invocation.requestId.replaceAll('-', '').slice(0, 24)};Sampled=0`,
    });
    waiting?.end(invocation.payload);
  }

  freeze(): void {
    if (CAN_FREEZE) this.#child?.kill('SIGSTOP');
  }

  /** Ends the child at once, stopped or not. */
  end(): void {
    if (this.#child === undefined) this.#leave();
    else this.#child.kill('SIGKILL');
  }

  async #start(): Promise<void> {
    const { id, folder, runtime, reaper, initialization } = this.#options;
    const lambda = this.#options.function;
    const port = await listenOnLoopback(this.#server, 0);
    if (this.#ended) return;
    for (const part of ['tmp', 'cache']) mkdirSync(join(folder, part), { recursive: true });
    const child = spawn(process.execPath, [runtime], {
      cwd: lambda.folder,
      env: childEnvironment({ lambda, folder, instance: id, runtimeApi: `127.0.0.1:${port}`, initialization }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (child.pid !== undefined) reaper.watch(child.pid);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#events.line(line));
    }
    child.stdin.on('error', () => {});
    child.once('error', () => this.#leave());
    child.once('exit', () => {
      if (child.pid !== undefined) reaper.forget(child.pid);
      this.#leave();
    });
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    void closeServer(this.#server);
    this.#events.ended();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path === '/2018-06-01/runtime/invocation/next') {
      this.#waiting = response;
      this.#events.asked();
      return;
    }
    const [, requestId, kind] = INVOCATION.exec(path) ?? [];
    const body = await readBody(request, this.#options.maxResponseBytes).catch(() => undefined);
    const tooLarge = body === 'too large';
    response.writeHead(tooLarge ? 413 : 202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (tooLarge) this.#events.line('the response is larger than Lambda allows');
    if (requestId === undefined) return;
    const isResponse = kind === 'response' && Buffer.isBuffer(body);
    this.#events.answered(requestId, isResponse ? { type: 'response', payload: body.toString() } : { type: 'error' });
  }
}
