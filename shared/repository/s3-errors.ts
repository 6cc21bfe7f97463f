import { CasaLinguaError } from '../errors.ts';
import { ObjectChangedError, ObjectNotFoundError, StoreRefusedError, StoreUnavailableError } from './errors.ts';

/** Codes that S3 sends with a 4xx though the next attempt can succeed. */
const TRANSIENT = new Set(['RequestTimeout', 'RequestTimeTooSkewed', 'ConditionalRequestConflict', 'SlowDown']);

interface AwsFailure {
  readonly name: string;
  readonly status: number | undefined;
}

/** What an AWS SDK error says that is safe to tell. */
function awsFailure(thrown: unknown): AwsFailure {
  if (!(thrown instanceof Error)) {
    return { name: 'Unknown', status: undefined };
  }
  const metadata: unknown = '$metadata' in thrown ? thrown.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return { name: thrown.name, status: typeof status === 'number' ? status : undefined };
}

/**
 * The error of this project for whatever an S3 call threw; the caller's own abort passes through. S3's own message stays in
 * the cause: it can name accounts, roles and hosts, and ours reaches whoever asks for a translation.
 */
export function mapS3Error(thrown: unknown, what: string, signal?: AbortSignal): unknown {
  if (signal?.aborted) {
    return signal.reason;
  }
  if (thrown instanceof CasaLinguaError) {
    return thrown;
  }
  const { name, status } = awsFailure(thrown);
  const told = `S3 ${what}: ${name}${status === undefined ? '' : ` (${status})`}`;
  if (TRANSIENT.has(name)) {
    return new StoreUnavailableError(told, { cause: thrown });
  }
  if (name === 'NoSuchBucket') {
    return new StoreRefusedError(told, { cause: thrown });
  }
  switch (status) {
    case 404:
      return new ObjectNotFoundError(told, { cause: thrown });
    case 412:
    case 416:
      return new ObjectChangedError(told, { cause: thrown });
    case 429:
      return new StoreUnavailableError(told, { cause: thrown });
    default:
      return status !== undefined && status >= 300 && status < 500
        ? new StoreRefusedError(told, { cause: thrown })
        : new StoreUnavailableError(told, { cause: thrown });
  }
}
