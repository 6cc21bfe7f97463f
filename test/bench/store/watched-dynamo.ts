import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../../infra/local/listen.ts';

export interface WatchedDynamo {
  readonly endpoint: string;
  /** Ms that every answer is held back. */
  slowMs: number;
  /** Operations since the last call of this, by what they are about. */
  take(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** Hands everything to the DynamoDB at `target`, and counts it. */
export async function watchDynamo(target: string): Promise<WatchedDynamo> {
  let counts: Record<string, number> = {};
  const server = createServer(async (request, response) => {
    const body = await readAll(request);
    const what = whatOf(String(request.headers['x-amz-target']), body);
    counts[what] = (counts[what] ?? 0) + 1;
    const answer = await fetch(target, {
      method: 'POST',
      headers: {
        'content-type': String(request.headers['content-type']),
        'x-amz-target': String(request.headers['x-amz-target']),
        'x-amz-date': String(request.headers['x-amz-date']),
        authorization: String(request.headers.authorization),
      },
      body,
    });
    const text = await answer.text();
    await delay(watched.slowMs);
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(text);
  });
  const port = await listenOnLoopback(server, 0);
  const watched: WatchedDynamo = {
    endpoint: `http://127.0.0.1:${port}`,
    slowMs: 0,
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
    close: () => closeServer(server),
  };
  return watched;
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(stream, 'end');
  return text;
}

/** @returns e.g. `GetItem BREAKER`, without what tells items of one kind apart */
function whatOf(target: string, body: string): string {
  const operation = target.split('.').at(-1) ?? target;
  // The first text of a request is its partition key, but for the table's name.
  const pk = /"S":"([A-Z]+)/.exec(body)?.[1] ?? '';
  return `${operation} ${pk}`.trim();
}
