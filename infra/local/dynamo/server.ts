import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import dynalite from 'dynalite';
import { closeServer, listenOnLoopback } from '../listen.ts';

export interface DynamoServer {
  /** For `AWS_ENDPOINT_URL_DYNAMODB`. */
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface DynamoServerOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Where tables outlive the process; in memory without it. */
  readonly folder?: string;
}

/** DynamoDB on loopback (dynalite). @throws PortTakenError */
export async function startDynamoServer(options: DynamoServerOptions = {}): Promise<DynamoServer> {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    ...(options.folder === undefined ? {} : { path: options.folder }),
  });
  const answering = new Set<ServerResponse>();
  server.on('request', (_, response) => {
    answering.add(response);
    response.once('close', () => answering.delete(response));
  });
  const port = await listenOnLoopback(server, options.port ?? 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      // Closed in the middle of an action, dynalite throws where nobody can catch it.
      await Promise.all(Array.from(answering, (response) => once(response, 'close')));
      await closeServer(server);
    },
  };
}
