import type { Hono } from 'hono';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { isWakeEvent } from '../wake-event.ts';
import type { HttpEnv } from './environment.ts';

/** How long an answer may wait for store calls that are still out. */
const PATIENCE_MS = 100;
/** How long an answer may wait for what ends with it. */
const ENDINGS_PATIENCE_MS = 500;

type Result = Awaited<ReturnType<ReturnType<typeof handle>>>;

/** What must be left of an invocation to end it in peace. */
const RESERVE_MS = 2_000;
/** Nobody reads it: whoever wakes an instance does not wait. */
const nothing: Result = { statusCode: 204, headers: {}, body: '', isBase64Encoded: false };

/** What there is to do around answers, since Lambda may freeze the instance with each of them. None may reject. */
export interface Afterwards {
  /** What is about to end, if anything, and would stay half ended until the next request. */
  endings?(): Promise<void> | undefined;
  /** Store calls that go on beside the requests, if any: they would come back to a dead socket. */
  pending(): Promise<void> | undefined;
  /** What an instance does that is called with a `WakeEvent`; it has as long as the invocation: then the signal is aborted. */
  woken?(signal: AbortSignal): Promise<void>;
  /** Sends what was measured of the request; does not wait. */
  flush?(): void;
  /** Nothing is asked of the instance any more: it may be frozen from now on. */
  rest?(): void;
}

/**
 * The handler that Lambda calls with API Gateway's events; an answer waits a moment for what is afterwards. The one file
 * that imports `hono/aws-lambda`, which Hono 5 moves to a package of its own.
 */
export function lambdaHandler(app: Hono<HttpEnv>, { endings, pending, woken, flush, rest }: Afterwards) {
  const answer = handle(app);
  const wake = async (context: LambdaContext | undefined) => {
    const ms = (context?.getRemainingTimeInMillis() ?? RESERVE_MS) - RESERVE_MS;
    const over = new AbortController();
    if (ms > 0) await orPatience(woken?.(over.signal), ms);
    over.abort();
    return nothing;
  };
  // Managed instances serve many at once.
  let underWay = 0;
  return async (event: LambdaEvent, context?: LambdaContext): Promise<Result> => {
    underWay += 1;
    try {
      const isWake = woken !== undefined && isWakeEvent(event);
      const result = isWake ? await wake(context) : await answer(readable(event), context);
      await orPatience(endings?.(), ENDINGS_PATIENCE_MS);
      // After those: what has ended is told, too.
      await orPatience(pending(), PATIENCE_MS);
      return result;
    } finally {
      flush?.();
      underWay -= 1;
      if (underWay === 0) rest?.();
    }
  };
}

/**
 * An event that Hono can make a request of; of another it makes an answer of its own, in plain text and without an id. The body of a
 * GET is left out, as it means nothing; one that is not in base64, though said to be, goes to the app as it stands, to be refused there.
 */
function readable(event: LambdaEvent): LambdaEvent {
  const { body, isBase64Encoded, requestContext } = event;
  if (typeof body !== 'string') return event;
  const method = 'http' in requestContext ? requestContext.http.method : undefined;
  if (method === 'GET' || method === 'HEAD') return { ...event, body: null };
  const isBase64 = body.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(body);
  return isBase64Encoded && !isBase64 ? { ...event, isBase64Encoded: false } : event;
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
