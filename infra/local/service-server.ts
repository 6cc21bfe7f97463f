import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** What a client may take its time for, in ms. */
const TIMES = {
  /** The head of a request; Node's own 60 s let a slow client keep its socket that long. */
  headersTimeout: 10_000,
  /** The whole request: 1 MB, the most that a body may be, at 35 kB a second. Node's own are 300 s. */
  requestTimeout: 30_000,
  /** Between two requests; longer than the 60 s of the usual load balancers, so that it is they who close. */
  keepAliveTimeout: 65_000,
  /** How often the first two are looked at; Node's own 30 s would add as much to them. */
  connectionsCheckingInterval: 1_000,
} as const;

/** An app over HTTP, with limits on the time of those who call it: Node answers whoever exceeds them with 408, and hangs up. */
export function createServiceServer(
  fetch: (request: Request) => Response | Promise<Response>,
  hostname: string,
): Server {
  return createServer(TIMES, getRequestListener(fetch, { hostname }));
}
