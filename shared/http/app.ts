import { type Context, Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { CasaLinguaError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { accessLog, type RequestObserver } from './access-log.ts';
import type { AccessRule } from './auth/access-rules.ts';
import type { Authenticate } from './auth/authenticate.ts';
import { authorize } from './auth/authorize.ts';
import { WrongCredentialsError } from './auth/errors.ts';
import type { Clock, HttpEnv } from './environment.ts';
import { MethodNotAllowedError, NotFoundError, RequestCancelledError } from './errors.ts';
import { logFailure } from './failure-log.ts';
import { type Problem, problemOf, retryAfterOf } from './problem.ts';
import { identifyRequest } from './request-id.ts';
import { requestScope } from './request-scope.ts';
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

/** What an app is made with. */
export interface HttpAppDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Who may call what; what no rule is about cannot be called. */
  readonly access: readonly AccessRule[];
  readonly authenticate: Authenticate;
  /** Told of every request. @default - nobody */
  readonly observer?: RequestObserver | undefined;
  /** @default - problem documents */
  readonly describe?: DescribeFailure;
  /** Adds what comes before it is asked who calls. @default - nothing */
  readonly entrance?: (app: Hono<HttpEnv>) => unknown;
}

/**
 * An app with everything that all routes share: request id, access log, headers, who may call what, and every failure (unknown
 * paths and methods too) answered by `describe`.
 */
export function createHttpApp(deps: HttpAppDeps): Hono<HttpEnv> {
  const { log, clock, access, authenticate, describe = asProblem, entrance, observer } = deps;
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
      ...(status === 401 ? { 'www-authenticate': challengeOf(thrown) } : {}),
      ...headers,
    });
  };

  app
    .use(identifyRequest())
    .use(requestScope())
    .use(accessLog(log, clock, observer))
    .use(securityHeaders())
    .use(openCors())
    .use(
      methodNotAllowed({
        app,
        onMethodNotAllowed: (c, methods) => fail(c, new MethodNotAllowedError(methods), { allow: methods.join(', ') }),
      }),
    );
  entrance?.(app);
  return app
    .use(authorize(access, authenticate))
    .notFound((c) => fail(c, new NotFoundError('there is nothing at this path')))
    .onError((error, c) => {
      const thrown = hungUp(c, error) ? new RequestCancelledError('the caller hung up', { cause: error }) : error;
      // The access log tells it by this one, too.
      c.error = thrown;
      logFailure(log, thrown, c.get('requestId'));
      return fail(c, thrown);
    });
}

/** Whoever reads a body whose sender goes away gets an error of Node's own. */
function hungUp(c: Context<HttpEnv>, error: Error): boolean {
  return !(error instanceof CasaLinguaError) && c.req.raw.signal.aborted;
}

/** How to say who one is (RFC 6750). */
function challengeOf(thrown: unknown): string {
  return thrown instanceof WrongCredentialsError ? 'Bearer error="invalid_token"' : 'Bearer';
}
