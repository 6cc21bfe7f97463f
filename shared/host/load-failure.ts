import { BreakerOpenError } from '../breaker/errors.ts';
import { CasaLinguaError, messageOf } from '../errors.ts';
import { CannotFitError, ModelLoadFailedError } from './errors.ts';
import type { Failure, Slot } from './slot.ts';

/** What is kept of anything that a load threw. What nobody has classified can pass. */
export function failureOf(thrown: unknown): Failure {
  const known = thrown instanceof CasaLinguaError;
  return {
    code: known ? thrown.code : 'LOAD_FAILED',
    message: messageOf(thrown),
    retryable: known ? thrown.retryable : true,
  };
}

/** What waiters of a failed model get, and everybody after them until its next try. */
export function loadFailed(
  slot: Slot,
  failure: Failure,
  { cause, retryAfterMs }: { cause?: unknown; retryAfterMs?: number } = {},
): CasaLinguaError {
  if (failure.code === 'CANNOT_FIT') return new CannotFitError(failure.message, { model: slot.key, state: 'FAILED' });
  const details = {
    model: slot.key,
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.max(1, retryAfterMs / 1000) }),
  };
  if (failure.code === 'BREAKER_OPEN') return new BreakerOpenError(failure.message, { ...details, state: 'OPEN' });
  return new ModelLoadFailedError(`${slot.key} could not be loaded: ${failure.message}`, {
    ...details,
    state: 'FAILED',
    retryable: failure.retryable,
  });
}
