import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { Log } from '../observability/log.ts';
import { accessLog } from './access-log.ts';
import type { Clock, HttpEnv } from './environment.ts';
import { MethodNotAllowedError, NotFoundError } from './errors.ts';
import { logFailure } from './failure-log.ts';
import { type Problem, problemOf, retryAfterOf } from './problem.ts';
import { identifyRequest } from './request-id.ts';
import { openCors, securityHeaders } from './response-headers.ts';

/** What a surface answers in place of the problem document. */
export interface FailureBody {
  readonly status: Problem['status'];
  readonly mediaType: 'application/json' | 'application/problem+json';
  readonly body: object;
}

/** How a surface words a failure. */
export type DescribeFailure = (problem: Problem, request: { path: string; now: number }) => FailureBody;

/** The problem document itself. */
export const asProblem: DescribeFailure = (problem) => ({
  status: problem.status,
  mediaType: 'application/problem+json',
  body: problem,
});

/**
 * An app with everything that all routes share: request id, access log, headers, and every failure (unknown paths and
 * methods too) answered by `describe`.
 */
export function createHttpApp(deps: { log: Log; clock: Clock; describe?: DescribeFailure }): Hono<HttpEnv> {
  const { log, clock, describe = asProblem } = deps;
  const app = new Hono<HttpEnv>();

  const fail = (c: Context<HttpEnv>, thrown: unknown, headers: Record<string, string> = {}): Response => {
    const { status, mediaType, body } = describe(problemOf(thrown, c.get('requestId')), {
      path: c.req.path,
      now: clock.now(),
    });
    const retryAfter = retryAfterOf(thrown);
    return c.body(JSON.stringify(body), status, {
      'content-type': mediaType,
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      ...headers,
    });
  };

  return app
    .use(identifyRequest())
    .use(accessLog(log, clock))
    .use(securityHeaders())
    .use(openCors())
    .use(
      methodNotAllowed({
        app,
        onMethodNotAllowed: (c, methods) => fail(c, new MethodNotAllowedError(methods), { allow: methods.join(', ') }),
      }),
    )
    .notFound((c) => fail(c, new NotFoundError('there is nothing at this path')))
    .onError((error, c) => {
      logFailure(log, error, c.get('requestId'));
      return fail(c, error);
    });
}
