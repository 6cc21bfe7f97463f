import { CasaLinguaError } from '../../errors.ts';

/** The route is for those who say who they are, and nobody did. */
export class MissingCredentialsError extends CasaLinguaError {
  readonly code = 'UNAUTHENTICATED';
  readonly retryable = false;
}

/** There is a key or token, and it is nobody's, disabled or too old. */
export class WrongCredentialsError extends CasaLinguaError {
  readonly code = 'INVALID_CREDENTIALS';
  readonly retryable = false;
}

/** Who asks is known, and may not do this. */
export class ForbiddenError extends CasaLinguaError {
  readonly code = 'FORBIDDEN';
  readonly retryable = false;
}

/** Too many wrong credentials came from this address lately. */
export class TooManyFailuresError extends CasaLinguaError {
  readonly code = 'TOO_MANY_FAILURES';
  readonly retryable = true;
}

/** The key has not been seen here, and the store of keys does not answer. */
export class KeysUnavailableError extends CasaLinguaError {
  readonly code = 'STORE_UNAVAILABLE';
  readonly retryable = true;
}
