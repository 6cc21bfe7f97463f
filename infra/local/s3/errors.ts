/** A refusal as S3 words it: `code` is what the SDK's error is named after. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'S3Error';
    this.status = status;
    this.code = code;
  }
}

export const noSuchBucket = () => new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
export const noSuchKey = () => new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
export const noSuchUpload = () => new S3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
export const invalidPart = () => new S3Error(400, 'InvalidPart', 'A part is missing, or its ETag is another.');
export const preconditionFailed = () =>
  new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
export const invalidRange = () => new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
export const badDigest = () =>
  new S3Error(400, 'BadDigest', 'The checksum you specified did not match what we received.');
export const incompleteBody = () =>
  new S3Error(400, 'IncompleteBody', 'You did not provide the number of bytes that you announced.');
export const notImplemented = (what: string) => new S3Error(501, 'NotImplemented', `${what} is not played here.`);
