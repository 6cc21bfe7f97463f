import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { HttpEnv } from './environment.ts';

/**
 * The handler that Lambda calls with API Gateway's events. The one file that imports `hono/aws-lambda`, which Hono 5
 * moves to a package of its own.
 */
export function lambdaHandler(app: Hono<HttpEnv>): ReturnType<typeof handle> {
  return handle(app);
}
