import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
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

/** dynalite everywhere, dynoxide where its binary is installed. */
export const dynamoServers: readonly DynamoServerKind[] = [
  { name: 'dynalite', missing: undefined, start: () => startDynamoServer() },
  {
    name: 'dynoxide',
    missing: dynoxideBinary() === undefined ? 'no binary for this platform' : undefined,
    start: startDynoxide,
  },
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
  // It prints the port that it was asked for, so 0 would not tell which one it took.
  const port = await freePort();
  const child = spawn(binary, ['--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endOnExit = () => child.kill('SIGKILL');
  process.once('exit', endOnExit);
  await untilListening(child);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      process.off('exit', endOnExit);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  await closeServer(server);
  return port;
}

function untilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (line.includes('listening')) resolve();
      });
    }
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`dynoxide ended with ${code}`)));
  });
}
