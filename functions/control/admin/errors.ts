import { CasaLinguaError } from '../../../shared/errors.ts';

/** An operator has pinned the model: whoever wants it unloaded unpins it first. */
export class ModelPinnedError extends CasaLinguaError {
  readonly code = 'MODEL_PINNED';
  readonly retryable = false;
}

/** The deployment's configuration keeps the model loaded. */
export class ModelAlwaysLoadedError extends CasaLinguaError {
  readonly code = 'MODEL_ALWAYS_LOADED';
  readonly retryable = false;
}

/** Nobody has pinned the model, or the time of the pin is over. */
export class NotPinnedError extends CasaLinguaError {
  readonly code = 'NOT_PINNED';
  readonly retryable = false;
}

/** A hard pin of the deployment decides on the version, whatever is active. */
export class VersionPinnedError extends CasaLinguaError {
  readonly code = 'VERSION_PINNED';
  readonly retryable = false;
}

/** No circuit breaker that the fleet shares has this name. */
export class UnknownBreakerError extends CasaLinguaError {
  readonly code = 'UNKNOWN_BREAKER';
  readonly retryable = false;
}
