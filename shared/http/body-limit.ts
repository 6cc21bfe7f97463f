import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from './environment.ts';
import { BodyTooLargeError } from './errors.ts';

/** Refuses a body of more than `bytes` with a `BodyTooLargeError`, before it is read where its length is announced. */
export const limitBody = (bytes: number) => {
  const refuse = () => {
    throw new BodyTooLargeError(`the body is larger than ${bytes} bytes`);
  };
  const counted = bodyLimit({ maxSize: bytes, onError: refuse });
  return createMiddleware<HttpEnv>(async function limitBody(c, next) {
    const announced = c.req.header('content-length');
    // Hono's own looks at the body first, which makes a stream of it: that costs more than reading it whole.
    if (announced === undefined || c.req.header('transfer-encoding') !== undefined) return counted(c, next);
    if (Number.parseInt(announced, 10) > bytes) refuse();
    await next();
  });
};
