import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../infra/local/listen.ts';

/** What the proxy does to the answers that pass through it. All of it can be changed while it runs. */
export interface Faults {
  /** So many requests are answered 503 before the next one passes. */
  refuse?: number;
  /** So many answers are cut off after `cutAfterBytes` of their body: the connection is destroyed. */
  cut?: number;
  cutAfterBytes?: number;
  /** Bodies arrive at this rate, each connection for itself. */
  bytesPerSecond?: number;
  /** Which requests the faults apply to; all without it. */
  only?: (request: { readonly method: string; readonly url: string }) => boolean;
}

export interface FaultProxy {
  readonly endpoint: string;
  readonly faults: Faults;
  /** `METHOD /path` of every request so far, in order. */
  readonly requests: readonly string[];
  /** Of all answers' bodies so far. */
  readonly bytesSent: number;
  /** Makes every connection of now dead as a freeze does: neither another byte nor an end comes over it. */
  deaden(): void;
  close(): Promise<void>;
}

/** A server on loopback that hands everything to the server at `target` and spoils what `faults` says. */
export async function startFaultProxy(target: string | (() => string), faults: Faults = {}): Promise<FaultProxy> {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  let bytesSent = 0;
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request;
    if (dead.has(request.socket)) return;
    requests.push(`${method} ${url}`);
    const applies = faults.only?.({ method, url }) ?? true;
    if (applies && (faults.refuse ?? 0) > 0) {
      faults.refuse = (faults.refuse ?? 0) - 1;
      request.resume();
      response.writeHead(503, { 'content-type': 'application/xml' });
      response.end('<Error><Code>ServiceUnavailable</Code><Message>Please try again.</Message></Error>');
      return;
    }
    const upstream = httpRequest(
      new URL(url, typeof target === 'string' ? target : target()),
      { method, headers: request.headers },
      (answer) => {
        const gate: Gate = {
          isDead: () => dead.has(request.socket),
          onBytes: (bytes) => {
            bytesSent += bytes;
          },
        };
        void pass(answer, response, applies ? faults : {}, gate);
      },
    );
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const port = await listenOnLoopback(server, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    faults,
    requests,
    get bytesSent() {
      return bytesSent;
    },
    deaden() {
      for (const socket of open) dead.add(socket);
    },
    close: () => closeServer(server),
  };
}

interface Gate {
  readonly isDead: () => boolean;
  readonly onBytes: (bytes: number) => void;
}

async function pass(answer: IncomingMessage, response: ServerResponse, faults: Faults, gate: Gate): Promise<void> {
  const cuts = (faults.cut ?? 0) > 0;
  if (cuts) faults.cut = (faults.cut ?? 0) - 1;
  const limit = cuts ? (faults.cutAfterBytes ?? 0) : Number.POSITIVE_INFINITY;
  if (gate.isDead()) return;
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  const body = (chunks: AsyncIterable<Buffer>) => untilDead(spoiled(chunks, limit, faults), gate, response);
  try {
    await pipeline(answer, body, response);
  } catch {
    response.destroy();
  }
}

/** The bytes as long as their connection lives; then nothing until it is given up. */
async function* untilDead(chunks: AsyncIterable<Buffer>, gate: Gate, response: ServerResponse): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    if (gate.isDead()) {
      if (!response.closed) await once(response, 'close');
      return;
    }
    gate.onBytes(chunk.length);
    yield chunk;
  }
}

/** The bytes as slowly as is wanted, up to the limit, where it throws. */
async function* spoiled(chunks: AsyncIterable<Buffer>, limit: number, faults: Faults): AsyncGenerator<Buffer> {
  let left = limit;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, Math.min(chunk.length, left));
    yield* slowly(part, faults);
    left -= part.length;
    if (left <= 0) throw new Error('cut');
  }
}

async function* slowly(bytes: Buffer, faults: Faults): AsyncGenerator<Buffer> {
  let offset = 0;
  while (offset < bytes.length) {
    // Read each time: the rate may change while the body is under way.
    const { bytesPerSecond } = faults;
    const size = bytesPerSecond === undefined ? bytes.length : Math.max(1, Math.ceil(bytesPerSecond / 20));
    yield bytes.subarray(offset, offset + size);
    offset += size;
    if (bytesPerSecond !== undefined) await delay(50);
  }
}
