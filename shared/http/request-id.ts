import type { MiddlewareHandler } from 'hono';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import type { HttpEnv } from './environment.ts';

/** The caller's `X-Request-Id` if it is sane, else Lambda's, else a new one; answered in the same header. */
export const identifyRequest = (): MiddlewareHandler<HttpEnv & { Variables: RequestIdVariables }> =>
  requestId({
    limitLength: 128,
    generator: (c) => (c.env as HttpEnv['Bindings'] | undefined)?.lambdaContext?.awsRequestId ?? crypto.randomUUID(),
  });
