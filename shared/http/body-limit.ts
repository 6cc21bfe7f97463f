import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from './environment.ts';
import { BodyTooLargeError } from './errors.ts';
import { Turns } from './turns.ts';

/** Bytes from which on reading and checking a body takes long enough to be felt by whoever else is served. */
const LARGE_BYTES = 65_536;

/**
 * Refuses a body of more than `bytes` with a `BodyTooLargeError`, before it is read where its length is announced. Large ones are
 * read one after the other, with a look at other callers between them.
 */
export const limitBody = (bytes: number) => {
  const refuse = () => {
    throw new BodyTooLargeError(`the body is larger than ${bytes} bytes`);
  };
  const counted = bodyLimit({ maxSize: bytes, onError: refuse });
  const turns = new Turns();
  return createMiddleware<HttpEnv>(async function limitBody(c, next) {
    const announced = c.req.header('content-length');
    // Hono's own looks at the body first, which makes a stream of it: that costs more than reading it whole.
    if (announced === undefined || c.req.header('transfer-encoding') !== undefined) return counted(c, next);
    const length = Number.parseInt(announced, 10);
    if (length > bytes) refuse();
    if (length > LARGE_BYTES) await turns.next();
    await next();
  });
};
