import { createMiddleware } from 'hono/factory';
import { traceIdOf, withinRequest } from '../observability/request-scope.ts';
import type { HttpEnv } from './environment.ts';

/** All that is logged for the request has its id, and the trace that it is a part of. */
export const requestScope = (env: Readonly<Record<string, string | undefined>> = process.env) =>
  createMiddleware<HttpEnv>(async function requestScope(c, next) {
    // There are no bindings outside Lambda; where an instance serves many at once the environment can't tell.
    const bindings: HttpEnv['Bindings'] | undefined = c.env;
    const trace = bindings?.lambdaContext?.xRayTraceId ?? env['_X_AMZN_TRACE_ID'];
    await withinRequest({ requestId: c.get('requestId'), traceId: traceIdOf(trace) }, next);
  });
