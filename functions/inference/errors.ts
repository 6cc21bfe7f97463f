import { CasaLinguaError } from '../../shared/errors.ts';

/** The catalog has no model for the task at all. */
export class ModelMissingError extends CasaLinguaError {
  readonly code = 'MODEL_MISSING';
  readonly retryable = false;
}
