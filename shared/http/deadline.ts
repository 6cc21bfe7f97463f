import { createMiddleware } from 'hono/factory';
import type { Clock, HttpEnv, LambdaBindings } from './environment.ts';
import { BadRequestError, DeadlineExceededError, RequestCancelledError } from './errors.ts';

/** API Gateway gives up after 30 s; two of them are for the way there and back. */
const gatewayMs = 28_000;
/** What must be left of the invocation to answer and to write the log. */
const invocationReserveMs = 1_000;

/** What a request says about its time. */
export interface DeadlineHints {
  /** `X-Request-Deadline-Ms`: milliseconds from now. */
  readonly deadlineHeader?: string | undefined;
  /** `Prefer`, of which `wait=<seconds>` counts (RFC 7240). */
  readonly preferHeader?: string | undefined;
  readonly bindings?: LambdaBindings | undefined;
}

/**
 * Milliseconds that are left for the request: the least of what the caller, the gateway and the invocation give;
 * `Infinity` where nobody limits it.
 * @throws BadRequestError when `X-Request-Deadline-Ms` is not a number of milliseconds
 */
export function remainingMs(hints: DeadlineHints, now: number): number {
  let remaining = Number.POSITIVE_INFINITY;
  if (hints.deadlineHeader !== undefined) {
    if (!/^\d{1,9}$/.test(hints.deadlineHeader))
      throw new BadRequestError('X-Request-Deadline-Ms is not a number of milliseconds');
    remaining = Number(hints.deadlineHeader);
  }
  const wait =
    hints.preferHeader === undefined ? null : /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})\b/i.exec(hints.preferHeader);
  if (wait !== null) remaining = Math.min(remaining, Number(wait[1]) * 1000);
  const receivedAt = hints.bindings?.requestContext?.timeEpoch;
  if (receivedAt !== undefined) remaining = Math.min(remaining, receivedAt + gatewayMs - now);
  const invocation = hints.bindings?.lambdaContext;
  if (invocation !== undefined)
    remaining = Math.min(remaining, invocation.getRemainingTimeInMillis() - invocationReserveMs);
  return remaining;
}

/** The longest that a timer of Node takes. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Gives each request its `deadline`, and `signal`, which is aborted then or when its caller hangs up; what watches for that ends
 * with the request.
 */
export const deadline = (clock: Clock) =>
  createMiddleware<HttpEnv>(async function deadline(c, next) {
    const controller = new AbortController();
    c.set('signal', controller.signal);
    const now = clock.now();
    const ms = remainingMs(
      {
        deadlineHeader: c.req.header('x-request-deadline-ms'),
        preferHeader: c.req.header('prefer'),
        bindings: c.env,
      },
      now,
    );
    c.set('deadline', Number.isFinite(ms) ? now + ms : undefined);
    const passed = () => controller.abort(new DeadlineExceededError('the deadline of the request passed'));
    if (ms <= 0) passed();
    // Behind the gateway nobody is seen to hang up; a server that holds the caller's own connection tells.
    const caller = c.req.raw.signal;
    const hungUp = () => controller.abort(new RequestCancelledError('the caller hung up'));
    if (caller.aborted) hungUp();
    caller.addEventListener('abort', hungUp, { once: true });
    const timer = ms > 0 && ms <= longestTimerMs ? setTimeout(passed, ms) : undefined;
    try {
      await next();
    } finally {
      clearTimeout(timer);
      caller.removeEventListener('abort', hungUp);
    }
  });
