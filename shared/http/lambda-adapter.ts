import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { HttpEnv } from './environment.ts';

/** How long an answer may wait for store calls that are still out. */
const PATIENCE_MS = 100;

/**
 * The handler that Lambda calls with API Gateway's events. The one file that imports `hono/aws-lambda`, which Hono 5
 * moves to a package of its own.
 * @param pending store calls that go on beside the requests, if any. Lambda freezes the instance with the answer, and they
 *   would come back to a dead socket; so the answer waits for them, a moment at most. Must not reject.
 */
export function lambdaHandler(app: Hono<HttpEnv>, pending: () => Promise<void> | undefined): ReturnType<typeof handle> {
  const answer = handle(app);
  return async (event, context) => {
    const result = await answer(event, context);
    const calls = pending();
    if (calls !== undefined) await orPatience(calls);
    return result;
  };
}

async function orPatience(calls: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([calls, patience]);
  clearTimeout(timer);
}
