import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { startLocalStores } from '../../infra/local/local-stores.ts';
import { createApiKey, hashOfKey } from '../../shared/fleet/keys/api-key.ts';
import { DynamoKeyStore } from '../../shared/fleet/keys/dynamo-key-store.ts';
import { modelFolders } from '../support/local-run.ts';
import type { RawExchange } from './raw-exchanges.ts';
import { type FuzzedRequest, MARKER, type Role } from './requests.ts';
import type { FromChild, Held } from './served-child.ts';

/** Far above the longest deadline and the longest that a client may take. */
export const HANG_MS = 60_000;

export interface FuzzedService {
  /** @throws when it is not answered, or not in time */
  ask(request: FuzzedRequest): Promise<Response>;
  /** What came back for these bytes until the connection ended. @throws when it does not end in time */
  exchange(raw: RawExchange): Promise<Buffer>;
  /** As somebody may who may do all. */
  operate(method: string, path: string, body?: object): Promise<Response>;
  held(): Promise<Held>;
  /** Lines of its log that should not be there: with a user's text, or of an error that nobody has thought of. */
  badLines(): readonly string[];
  /** Items of the table with a user's text in them. */
  badItems(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/**
 * The whole service in a process of its own over real stores, with a key of each kind.
 * @param deadlineMs of requests that have none: behind the gateway there are no such
 */
export async function startFuzzedService({ deadlineMs }: { readonly deadlineMs: number }): Promise<FuzzedService> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-fuzzed-'));
  const stores = await startLocalStores({ modelFolders });
  const dynamo = new DynamoDBClient({
    endpoint: stores.dynamoEndpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const keys = await makeKeys(dynamo, stores.environment['CASALINGUA_TABLE'] ?? '');
  const child = fork(join(import.meta.dirname, 'served-child.ts'), {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      ...stores.environment,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      CASALINGUA_TRUSTED_PROXIES: '1',
      FUZZ_FOLDER: folder,
    },
  });
  const bad: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => isBad(line) && bad.push(line));
  }
  const { port } = (await next(child)) as { port: number };
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const host = `127.0.0.1:${port}`;

  return {
    ask: (request) => send(request, { agent, port, host, deadlineMs, key: keys[request.role] }),
    exchange: (raw) => exchange(raw, port),
    operate: (method, path, body) =>
      fetch(`http://${host}${path}`, {
        method,
        headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    held: async () => {
      const answer = next(child);
      child.send('report');
      return (await answer) as Held;
    },
    badLines: () => bad,
    badItems: async () => {
      const { Items = [] } = await dynamo.send(new ScanCommand({ TableName: stores.environment['CASALINGUA_TABLE'] }));
      return Items.map((item) => JSON.stringify(item)).filter((item) => item.includes(MARKER));
    },
    async close() {
      agent.destroy();
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.send('end');
        await ended;
      }
      dynamo.destroy();
      await stores.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeKeys(dynamo: DynamoDBClient, table: string): Promise<Readonly<Record<Role, string | undefined>>> {
  const store = new DynamoKeyStore(dynamo, table);
  const make = async (name: string, scopes: readonly ('infer' | 'read' | 'admin')[], isDisabled = false) => {
    const key = createApiKey();
    const rest = { limits: {}, by: 'fuzzing', createdAt: Date.now(), until: undefined, isDisabled };
    await store.add({ hash: hashOfKey(key), name, scopes, ...rest });
    return key;
  };
  return {
    nobody: undefined,
    infer: await make('infer', ['infer']),
    read: await make('read', ['read']),
    admin: await make('admin', ['infer', 'read', 'admin']),
    disabled: await make('disabled', ['infer', 'read', 'admin'], true),
    stranger: createApiKey(),
  };
}

/** The next word of the child. @throws when it ends instead */
async function next(child: ChildProcess): Promise<FromChild> {
  const listening = new AbortController();
  const ended = once(child, 'exit', listening).then(([code, signal]) => {
    throw new Error(`the service ended with ${code ?? signal}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', listening), ended]);
    return message as FromChild;
  } finally {
    listening.abort();
    ended.catch(() => {});
  }
}

function isBad(line: string): boolean {
  if (line.includes(MARKER) || line.includes(encodeURIComponent(MARKER))) return true;
  // What is no line of the log, such as a warning of Node.
  if (!line.startsWith('{')) return true;
  const { status, code } = JSON.parse(line) as { status?: unknown; code?: unknown };
  return status === 500 || code === 'INTERNAL_ERROR';
}

interface Where {
  readonly agent: Agent;
  readonly port: number;
  readonly host: string;
  readonly deadlineMs: number;
  readonly key: string | undefined;
}

async function send(asked: FuzzedRequest, where: Where): Promise<Response> {
  const { method, target, body, keyIn } = asked;
  const { agent, port, host, key } = where;
  const headers = ['host', host, ...asked.headers.flat()];
  if (!asked.headers.some(([name]) => name === 'x-request-deadline-ms')) {
    headers.push('x-request-deadline-ms', String(where.deadlineMs));
  }
  if (key !== undefined && keyIn === 'header') headers.push('authorization', `Bearer ${key}`);
  if (body !== undefined)
    headers.push(...(asked.chunked ? ['transfer-encoding', 'chunked'] : ['content-length', String(body.length)]));
  const path =
    key !== undefined && keyIn === 'query' ? `${target}${target.includes('?') ? '&' : '?'}api_key=${key}` : target;
  const outgoing = httpRequest({ agent, port, host: '127.0.0.1', method, path, headers });
  outgoing.setTimeout(HANG_MS, () => outgoing.destroy(new Error(`no answer within ${HANG_MS} ms`)));
  outgoing.end(body);
  try {
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    // What goes wrong from now on, such as a body that the server does not wait for, is no failure to answer.
    outgoing.on('error', () => {});
    return toResponse(incoming, await buffer(incoming));
  } catch (error) {
    // The server may end a connection just when it is taken again.
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (isStale) return send(asked, { ...where, agent: new Agent() });
    throw error;
  }
}

function toResponse(incoming: IncomingMessage, body: Buffer): Response {
  const headers = new Headers();
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  return new Response(body.length === 0 ? null : Uint8Array.from(body), { status: incoming.statusCode ?? 0, headers });
}

function exchange({ parts, hangsUp }: RawExchange, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(
      () => socket.destroy(new Error(`the connection did not end within ${HANG_MS} ms`)),
      HANG_MS,
    );
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    // That the other side has had enough is no failure; what it has said before counts.
    socket.on('error', (error: NodeJS.ErrnoException) => error.code === undefined && reject(error));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
    for (const part of parts) socket.write(part);
    if (hangsUp) setTimeout(() => socket.destroy(), 5);
    else socket.end();
  });
}
