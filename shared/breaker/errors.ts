import { CasaLinguaError } from '../errors.ts';

/** So many calls failed that no more are made for a while; `retryAfterSeconds` is when one may be tried. */
export class BreakerOpenError extends CasaLinguaError {
  readonly code = 'BREAKER_OPEN';
  readonly retryable = true;
}
