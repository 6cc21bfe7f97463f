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

/** The load took longer than it may, or stood still. */
export class LoadTimeoutError extends CasaLinguaError {
  readonly code = 'LOAD_TIMEOUT';
  readonly retryable = true;
}

/** So many models wait for their load that no other may. */
export class QueueFullError extends CasaLinguaError {
  readonly code = 'QUEUE_FULL';
  readonly retryable = true;
}

/** The model needs more than this instance can ever give it: permanent for that version. */
export class CannotFitError extends CasaLinguaError {
  readonly code = 'CANNOT_FIT';
  readonly retryable = false;
}

/** The model does not fit beside those that are in use now. */
export class MemoryShortError extends CasaLinguaError {
  readonly code = 'MEMORY_SHORT';
  readonly retryable = true;
}

/** Nobody can tell how much memory there is, so nothing is loaded. */
export class MemoryUnreadableError extends CasaLinguaError {
  readonly code = 'MEMORY_UNREADABLE';
  readonly retryable = true;
}

/** A load made way: for one that somebody waits for, or since its permit to download was lost. It goes on later. */
export class PreemptedError extends CasaLinguaError {
  readonly code = 'PREEMPTED';
  readonly retryable = true;
}
