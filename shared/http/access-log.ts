import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { Log } from '../observability/log.ts';
import { nameOf, type Principal } from './auth/principal.ts';
import type { Clock, HttpEnv } from './environment.ts';
import { problemOf } from './problem.ts';

/** What a request was answered with, for whoever counts. */
export interface ObservedAnswer {
  /** The route's pattern. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  /** Of a failure. */
  readonly code: string | undefined;
}

/** Told of every request. */
export interface RequestObserver {
  began(): void;
  ended(answer: ObservedAnswer): void;
}

/**
 * One line per request. It names the route's pattern, not the path, and sizes, not contents: what a user wrote, were it
 * into the address, stays out.
 */
export const accessLog = (log: Log, clock: Clock, observer?: RequestObserver) =>
  createMiddleware<HttpEnv>(async function accessLog(c, next) {
    const startedAt = clock.now();
    c.set('startedAt', startedAt);
    observer?.began();
    await next();
    const work = c.get('work');
    // Not there where the request did not come so far.
    const principal = c.get('principal') as Principal | undefined;
    const route = routePath(c, -1);
    const { status } = c.res;
    const ms = clock.now() - startedAt;
    const code = c.error === undefined ? undefined : problemOf(c.error).code;
    observer?.ended({ route, status, ms, code });
    log.info('http.request', {
      method: c.req.method,
      route,
      status,
      ms,
      requestBytes: Number(c.req.header('content-length') ?? 0),
      texts: work?.texts,
      characters: work?.characters,
      caller: principal === undefined ? undefined : nameOf(principal),
      code,
      requestId: c.get('requestId'),
    });
  });
