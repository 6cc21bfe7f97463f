import { CasaLinguaError } from '../../shared/errors.ts';

/** The version must stay: it is active, pinned, or the one that a rollback goes back to. */
export class VersionInUseError extends CasaLinguaError {
  readonly code = 'VERSION_IN_USE';
  readonly retryable = false;
}

/** There is no version to go back to. */
export class NothingToRollBackError extends CasaLinguaError {
  readonly code = 'NOTHING_TO_ROLL_BACK';
  readonly retryable = false;
}

/** What lies in S3 is not what the manifest says. */
export class VersionDamagedError extends CasaLinguaError {
  readonly code = 'VERSION_DAMAGED';
  readonly retryable = false;
}

/** The instances did not get there in the time that was given; they go on trying. */
export class NotLoadedInTimeError extends CasaLinguaError {
  readonly code = 'NOT_LOADED_IN_TIME';
  readonly retryable = true;
}
