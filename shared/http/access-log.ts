import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { Log } from '../observability/log.ts';
import type { Clock, HttpEnv } from './environment.ts';
import { problemOf } from './problem.ts';

/**
 * One line per request. It names the route's pattern, not the path, and sizes, not contents: what a user wrote, were it
 * into the address, stays out.
 */
export const accessLog = (log: Log, clock: Clock) =>
  createMiddleware<HttpEnv>(async function accessLog(c, next) {
    const startedAt = clock.now();
    c.set('startedAt', startedAt);
    await next();
    const work = c.get('work');
    log.info('http.request', {
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      ms: clock.now() - startedAt,
      requestBytes: Number(c.req.header('content-length') ?? 0),
      texts: work?.texts,
      characters: work?.characters,
      code: c.error === undefined ? undefined : problemOf(c.error).code,
      requestId: c.get('requestId'),
    });
  });
