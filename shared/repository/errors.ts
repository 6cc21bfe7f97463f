import { CasaLinguaError, type ErrorDetails } from '../errors.ts';

/** No such model, or no active version of it. */
export class UnknownModelError extends CasaLinguaError {
  readonly code = 'UNKNOWN_MODEL';
  readonly retryable = false;
}

/** The model has no such version. */
export class UnknownVersionError extends CasaLinguaError {
  readonly code = 'UNKNOWN_VERSION';
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

/** S3 or DynamoDB said no (credentials, permissions, a bucket or table that isn't there): asking again won't help. */
export class StoreRefusedError extends CasaLinguaError {
  readonly code = 'STORE_REFUSED';
  readonly retryable = false;
}

/** There is no object under this key. */
export class ObjectNotFoundError extends CasaLinguaError {
  readonly code = 'OBJECT_NOT_FOUND';
  readonly retryable = false;
}

/** The object is another one than the ETag that was asked for: what was read of it so far is void. */
export class ObjectChangedError extends CasaLinguaError {
  readonly code = 'OBJECT_CHANGED';
  readonly retryable = true;
}

/** The cache folder has no room for the model: even empty (final), or while other models are in use (`retryable`). */
export class CacheFullError extends CasaLinguaError {
  readonly code = 'CACHE_FULL';
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails & { retryable: boolean }) {
    super(message, details);
    this.retryable = details.retryable;
  }
}

/** A folder that can't be published; the message names everything that is missing or wrong. */
export class PublishInvalidError extends CasaLinguaError {
  readonly code = 'PUBLISH_INVALID';
  readonly retryable = false;
}

/** Somebody else changed what a compare-and-set expected, or a published version has other content. */
export class VersionConflictError extends CasaLinguaError {
  readonly code = 'VERSION_CONFLICT';
  readonly retryable = false;
}
