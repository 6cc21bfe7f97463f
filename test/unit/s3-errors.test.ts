import { describe, expect, it } from 'vitest';
import { CasaLinguaError } from '../../shared/errors.ts';
import { mapS3Error } from '../../shared/repository/s3-errors.ts';

/** An error as the SDK throws it. */
const awsError = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error('arn:aws:sts::123456789012:assumed-role/casa is not allowed'), {
    name,
    ...(httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } }),
  });

describe('a failure of S3', () => {
  it.each([
    ['NoSuchKey', 404, 'OBJECT_NOT_FOUND'],
    ['NoSuchBucket', 404, 'STORE_REFUSED'],
    ['AccessDenied', 403, 'STORE_REFUSED'],
    ['PreconditionFailed', 412, 'OBJECT_CHANGED'],
    ['InvalidRange', 416, 'OBJECT_CHANGED'],
    ['SlowDown', 429, 'STORE_UNAVAILABLE'],
    ['RequestTimeout', 400, 'STORE_UNAVAILABLE'],
    ['InternalError', 500, 'STORE_UNAVAILABLE'],
    ['TimeoutError', undefined, 'STORE_UNAVAILABLE'],
  ])('%s (%s) is %s, and says nothing of the account', (name, status, code) => {
    const thrown = awsError(name, status);

    const mapped = mapS3Error(thrown, 'GET models/a/1/x');

    expect(mapped).toBeInstanceOf(CasaLinguaError);
    expect(mapped).toMatchObject({ code, cause: thrown });
    expect(String(mapped)).toContain(`GET models/a/1/x: ${name}`);
    expect(String(mapped)).not.toContain('arn:aws');
  });

  it("passes the caller's own abort through", () => {
    const reason = new Error('enough');
    expect(mapS3Error(awsError('AbortError'), 'GET x', AbortSignal.abort(reason))).toBe(reason);
  });
});
