import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { HttpEnv } from './environment.ts';

/** How long an answer may wait for store calls that are still out. */
const PATIENCE_MS = 100;
/** How long an answer may wait for what ends with it. */
const ENDINGS_PATIENCE_MS = 500;

/**
 * The handler that Lambda calls with API Gateway's events. The one file that imports `hono/aws-lambda`, which Hono 5
 * moves to a package of its own.
 * @param pending store calls that go on beside the requests, if any. Lambda freezes the instance with the answer, and they
 *   would come back to a dead socket; so the answer waits for them, a moment at most. Must not reject.
 * @param endings what is about to end, if anything, and would stay half ended until the next request. Must not reject.
 */
export function lambdaHandler(
  app: Hono<HttpEnv>,
  pending: () => Promise<void> | undefined,
  endings: () => Promise<void> | undefined = () => undefined,
): ReturnType<typeof handle> {
  const answer = handle(app);
  return async (event, context) => {
    const result = await answer(event, context);
    await orPatience(endings(), ENDINGS_PATIENCE_MS);
    // Afterwards: what has ended is told, too.
    await orPatience(pending(), PATIENCE_MS);
    return result;
  };
}

async function orPatience(calls: Promise<void> | undefined, ms: number): Promise<void> {
  if (calls === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([calls, patience]);
  clearTimeout(timer);
}
