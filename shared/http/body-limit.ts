import { bodyLimit } from 'hono/body-limit';
import { BodyTooLargeError } from './errors.ts';

/** Refuses a body of more than `bytes` with a `BodyTooLargeError`, before it is read where its length is announced. */
export const limitBody = (bytes: number) =>
  bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new BodyTooLargeError(`the body is larger than ${bytes} bytes`);
    },
  });
