import { CasaLinguaError, messageOf } from '../errors.ts';
import { ModelLoadFailedError } from './errors.ts';
import type { Failed, Slot } from './slot.ts';

/** The state after a load that threw this. What nobody has classified can pass. */
export function failedBy(thrown: unknown): Failed {
  const known = thrown instanceof CasaLinguaError;
  return {
    kind: 'FAILED',
    error: {
      code: known ? thrown.code : 'LOAD_FAILED',
      message: messageOf(thrown),
      retryable: known ? thrown.retryable : true,
    },
  };
}

/** What a waiter of that load gets, and everybody after it when the failure is final. */
export function loadFailed(slot: Slot, { error }: Failed, cause?: unknown): ModelLoadFailedError {
  return new ModelLoadFailedError(`${slot.key} could not be loaded: ${error.message}`, {
    cause,
    model: slot.key,
    state: 'FAILED',
    retryable: error.retryable,
  });
}
