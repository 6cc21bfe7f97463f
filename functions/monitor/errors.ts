import { CasaLinguaError } from '../../shared/errors.ts';

/** A task of the monitor did not come to its end in time. */
export class TaskTimeoutError extends CasaLinguaError {
  readonly code = 'TASK_TIMEOUT';
  readonly retryable = true;
}
