import { CasaLinguaError, type ErrorDetails } from '../errors.ts';

/** The request is not what the route takes. */
export class BadRequestError extends CasaLinguaError {
  readonly code = 'BAD_REQUEST';
  readonly retryable = false;
}

/** No such path. */
export class NotFoundError extends CasaLinguaError {
  readonly code = 'NOT_FOUND';
  readonly retryable = false;
}

/** The path is there, the method is not. */
export class MethodNotAllowedError extends CasaLinguaError {
  readonly code = 'METHOD_NOT_ALLOWED';
  readonly retryable = false;
  readonly allowed: readonly string[];

  constructor(allowed: readonly string[]) {
    super('this method is not allowed here');
    this.allowed = allowed;
  }
}

/** More bytes than the server takes. */
export class BodyTooLargeError extends CasaLinguaError {
  readonly code = 'BODY_TOO_LARGE';
  readonly retryable = false;
}

/** More texts or characters than one request may have. */
export class TextTooLongError extends CasaLinguaError {
  readonly code = 'TEXT_TOO_LONG';
  readonly retryable = false;
}

/** The caller has asked for more than it may in a minute. */
export class RateLimitedError extends CasaLinguaError {
  readonly code = 'RATE_LIMITED';
  readonly retryable = true;
}

/** The caller hung up: nobody will read the answer. */
export class RequestCancelledError extends CasaLinguaError {
  readonly code = 'REQUEST_CANCELLED';
  readonly retryable = true;
}

/** The time that the caller, the gateway or the invocation gave is over. */
export class DeadlineExceededError extends CasaLinguaError {
  readonly code = 'DEADLINE_EXCEEDED';
  readonly retryable = true;
  /** 0 to 1: the share of the request's texts that were finished. */
  readonly progress: number | undefined;

  constructor(message: string, details: ErrorDetails & { progress?: number } = {}) {
    super(message, details);
    this.progress = details.progress;
  }
}
