import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DynamoServer, startDynamoServer } from '../../infra/local/dynamo/server.ts';
import { createTable } from '../../infra/local/dynamo/table.ts';
import { closeServer, listenOnLoopback } from '../../infra/local/listen.ts';

/** A DynamoDB that a contract must hold on. Use `describe.each(dynamoServers)('on $name', …)` with `describe.skipIf(missing)`. */
export interface DynamoServerKind {
  readonly name: string;
  /** Why it can't run here, or undefined when it can. */
  readonly missing: string | undefined;
  start(): Promise<DynamoServer>;
}

/** dynalite everywhere, dynoxide where its binary is installed, DynamoDB Local where `DYNAMODB_LOCAL_JAR` names its jar. */
export const dynamoServers: readonly DynamoServerKind[] = [
  { name: 'dynalite', missing: undefined, start: () => startDynamoServer() },
  {
    name: 'dynoxide',
    missing: dynoxideBinary() === undefined ? 'no binary for this platform' : undefined,
    start: startDynoxide,
  },
  { name: 'DynamoDB Local', missing: dynamoDbLocalMissing(), start: startDynamoDbLocal },
];

/** A client for a server on loopback. */
export function dynamoClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

/** A fresh in-memory server with the project's table in it. */
export async function startTable(
  kind: DynamoServerKind,
): Promise<{ client: DynamoDBClient; tableName: string; endpoint: string; close(): Promise<void> }> {
  const server = await kind.start();
  const client = dynamoClient(server.endpoint);
  const tableName = 'casalingua';
  await createTable(client, tableName);
  return {
    client,
    tableName,
    endpoint: server.endpoint,
    async close() {
      client.destroy();
      await server.close();
    },
  };
}

function dynoxideBinary(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    return createRequire(import.meta.url).resolve('@dynoxide/linux-x64/dynoxide');
  } catch {
    return undefined;
  }
}

async function startDynoxide(): Promise<DynamoServer> {
  const binary = dynoxideBinary();
  if (binary === undefined) throw new Error('dynoxide is not installed');
  return startProgram((port) => [binary, '--port', String(port)]);
}

function dynamoDbLocalMissing(): string | undefined {
  const jar = process.env['DYNAMODB_LOCAL_JAR'];
  if (jar === undefined) return 'DYNAMODB_LOCAL_JAR does not say where its jar is';
  if (!existsSync(jar)) return `no ${jar}`;
  return spawnSync('java', ['-version'], { stdio: 'ignore' }).error === undefined ? undefined : 'no java';
}

/** What it needs is beside the jar, or in the folder where its own archive has it. */
async function startDynamoDbLocal(): Promise<DynamoServer> {
  const jar = process.env['DYNAMODB_LOCAL_JAR'];
  if (jar === undefined) throw new Error('DYNAMODB_LOCAL_JAR is not set');
  const folders = [dirname(jar), join(dirname(jar), 'DynamoDBLocal_lib')];
  const main = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
  return startProgram((port) => [
    'java',
    `-Djava.library.path=${folders.join(delimiter)}`,
    '-cp',
    [jar, ...folders.map((folder) => join(folder, '*'))].join(delimiter),
    main,
    ...['-inMemory', '-disableTelemetry', '-port', String(port)],
  ]);
}

/** Resolves when the program takes connections at the port that it was told. */
async function startProgram(command: (port: number) => readonly [string, ...string[]]): Promise<DynamoServer> {
  // A server that took any free port would have to say which.
  const port = await freePort();
  const [program, ...args] = command(port);
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  const endOnExit = () => child.kill('SIGKILL');
  process.once('exit', endOnExit);
  let failure: string | undefined;
  ended.then((why) => {
    failure = why;
  });
  while (!(await takesConnections(port))) {
    if (failure !== undefined) throw new Error(`${program}: ${failure}`);
    await setTimeout(50);
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      process.off('exit', endOnExit);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await closeServer(server);
  return port;
}
