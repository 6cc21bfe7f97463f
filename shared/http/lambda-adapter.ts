import type { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { HttpEnv } from './environment.ts';

/** How long an answer may wait for store calls that are still out. */
const PATIENCE_MS = 100;
/** How long an answer may wait for what ends with it. */
const ENDINGS_PATIENCE_MS = 500;

/** What there is to do around answers, since Lambda may freeze the instance with each of them. None may reject. */
export interface Afterwards {
  /** What is about to end, if anything, and would stay half ended until the next request. */
  endings?(): Promise<void> | undefined;
  /** Store calls that go on beside the requests, if any: they would come back to a dead socket. */
  pending(): Promise<void> | undefined;
  /** Nothing is asked of the instance any more: it may be frozen from now on. */
  rest?(): void;
}

/**
 * The handler that Lambda calls with API Gateway's events; an answer waits a moment for what is afterwards. The one file
 * that imports `hono/aws-lambda`, which Hono 5 moves to a package of its own.
 */
export function lambdaHandler(app: Hono<HttpEnv>, { endings, pending, rest }: Afterwards): ReturnType<typeof handle> {
  const answer = handle(app);
  // Managed instances serve many at once.
  let underWay = 0;
  return async (event, context) => {
    underWay += 1;
    try {
      const result = await answer(event, context);
      await orPatience(endings?.(), ENDINGS_PATIENCE_MS);
      // After those: what has ended is told, too.
      await orPatience(pending(), PATIENCE_MS);
      return result;
    } finally {
      underWay -= 1;
      if (underWay === 0) rest?.();
    }
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
