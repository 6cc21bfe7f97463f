import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { CasaLinguaError } from '../errors.ts';
import { StoreRefusedError, StoreUnavailableError } from '../repository/errors.ts';

/** 400s by which DynamoDB says "not now". */
const TRANSIENT = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
]);

/** The error of this project for whatever a DynamoDB call threw; the caller's own abort passes through. */
export function mapDynamoError(thrown: unknown, what: string, signal?: AbortSignal): unknown {
  if (signal?.aborted) {
    return signal.reason;
  }
  if (thrown instanceof CasaLinguaError) {
    return thrown;
  }
  const name = thrown instanceof Error ? thrown.name : 'Unknown';
  const message = `DynamoDB ${what}: ${name}`;
  const refused =
    thrown instanceof DynamoDBServiceException &&
    thrown.$fault === 'client' &&
    thrown.$metadata.httpStatusCode !== 429 &&
    !TRANSIENT.has(name);
  return refused
    ? new StoreRefusedError(message, { cause: thrown })
    : new StoreUnavailableError(message, { cause: thrown });
}
