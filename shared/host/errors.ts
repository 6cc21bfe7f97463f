import { CasaLinguaError, type ErrorDetails } from '../errors.ts';

/** The load failed; `retryable` is the cause's. A version that failed for good stays so until another is activated. */
export class ModelLoadFailedError extends CasaLinguaError {
  readonly code = 'MODEL_LOAD_FAILED';
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails & { retryable: boolean }) {
    super(message, details);
    this.retryable = details.retryable;
  }
}

/** The caller's time ended while the model was still loading; the load goes on. */
export class ModelLoadingError extends CasaLinguaError {
  readonly code = 'MODEL_LOADING';
  readonly retryable = true;
}

/** The model is on its way out, or the host is closed. */
export class ModelDrainingError extends CasaLinguaError {
  readonly code = 'MODEL_DRAINING';
  readonly retryable = true;
}
