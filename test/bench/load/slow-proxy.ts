/** A proxy in a process of its own: all connections together get so many bytes a second from the server behind it. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '../serve.ts';
import { TokenBucket } from './token-bucket.ts';

export interface SlowProxyStart {
  /** URL of the server. */
  readonly target: string;
  readonly bytesPerSecond: number;
}

/** Of one write: small enough for connections to take turns. */
const WRITE_BYTES = 64 * 1024;

const { target, bytesPerSecond } = JSON.parse(process.argv[2] ?? '') as SlowProxyStart;
const { hostname, port } = new URL(target);
const bucket = new TokenBucket(bytesPerSecond, { now: () => performance.now(), sleep: (ms) => delay(ms) });

// What passes here in two pieces must not wait for the receiver's word on the first (Nagle): that is 40 ms for each small answer.
const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: Number(port), host: hostname, noDelay: true });
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', end).on('close', end);
  upstream.on('error', end);
  client.pipe(upstream);
  passSlowly(upstream, client).then(end, end);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

serve<object, { endpoint: string }>(async () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return { endpoint: `http://127.0.0.1:${address.port}` };
});

async function passSlowly(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += WRITE_BYTES) {
      const part = chunk.subarray(at, at + WRITE_BYTES);
      await bucket.take(part.length);
      if (!to.write(part)) await once(to, 'drain');
    }
  }
}
