import { CasaLinguaError } from '../errors.ts';

/** No such model, or no active version of it. */
export class UnknownModelError extends CasaLinguaError {
  readonly code = 'UNKNOWN_MODEL';
  readonly retryable = false;
}

/** The manifest is not there, not JSON or not valid: permanent for that version. */
export class ManifestInvalidError extends CasaLinguaError {
  readonly code = 'MANIFEST_INVALID';
  readonly retryable = false;
}

/** A file is missing, has another size or another sha256 than the manifest says: permanent for that version. */
export class FileCorruptError extends CasaLinguaError {
  readonly code = 'FILE_CORRUPT';
  readonly retryable = false;
}

/** S3 or DynamoDB did not answer, or answered that it can't now. */
export class StoreUnavailableError extends CasaLinguaError {
  readonly code = 'STORE_UNAVAILABLE';
  readonly retryable = true;
}

/** The cache folder has no room for the model, even empty. */
export class CacheFullError extends CasaLinguaError {
  readonly code = 'CACHE_FULL';
  readonly retryable = false;
}

/** Somebody else changed what a compare-and-set expected. */
export class VersionConflictError extends CasaLinguaError {
  readonly code = 'VERSION_CONFLICT';
  readonly retryable = false;
}
