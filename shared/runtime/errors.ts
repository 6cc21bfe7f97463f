import { CasaLinguaError } from '../errors.ts';

/** The engine refused or failed one inference; the worker lives on. */
export class InferenceFailedError extends CasaLinguaError {
  readonly code = 'INFERENCE_FAILED';
  readonly retryable = false;
}

/** Nobody wants the run any more. It stays within the thread: callers see the reason of their own signal. */
export class CancelledError extends CasaLinguaError {
  readonly code = 'CANCELLED';
  readonly retryable = false;
}

/** The worker died with the load or the request in it. */
export class WorkerCrashedError extends CasaLinguaError {
  readonly code: string = 'WORKER_CRASHED';
  readonly retryable = true;
}

/** The worker died for want of memory: its WebAssembly heap could not grow as the load needs, or JavaScript's own. */
export class OutOfMemoryError extends WorkerCrashedError {
  override readonly code = 'OUT_OF_MEMORY';
}

/** The files are whole but this runtime cannot serve them: permanent for that version. */
export class ModelUnsupportedError extends CasaLinguaError {
  readonly code = 'MODEL_UNSUPPORTED';
  readonly retryable = false;
}

/** The model does not translate from or into this language. */
export class UnsupportedLanguageError extends CasaLinguaError {
  readonly code = 'UNSUPPORTED_LANGUAGE';
  readonly retryable = false;
}
