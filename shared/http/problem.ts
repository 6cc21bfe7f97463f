import { CasaLinguaError } from '../errors.ts';
import { DeadlineExceededError } from './errors.ts';

/** The statuses that this project answers failures with. */
export type FailureStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 429 | 500 | 503 | 504 | 507;

/** A failure in the shape of RFC 9457, with the project's extension members. */
export interface Problem {
  /** A path that is stable per `code`. */
  readonly type: string;
  readonly title: string;
  readonly status: FailureStatus;
  readonly detail: string;
  /** LibreTranslate's member: what its clients show. */
  readonly error: string;
  readonly code: string;
  readonly model?: string;
  readonly state?: string;
  /** 0 to 1, with a deadline that passed in the work. */
  readonly progress?: number;
  readonly retryable: boolean;
  readonly requestId?: string;
}

/** Design part 10. A text that is too long is 400 on both surfaces that take text. */
const kinds: Readonly<Record<string, readonly [status: FailureStatus, title: string]>> = {
  BAD_REQUEST: [400, 'The request is not valid'],
  UNSUPPORTED_LANGUAGE: [400, 'The language is not supported'],
  TEXT_TOO_LONG: [400, 'The text is too long'],
  EMPTY_TEXT: [400, 'There is no text'],
  TEXT_TOO_SHORT: [400, 'The text is too short'],
  MISSING_TARGET_LANGUAGE: [400, 'The target language is missing'],
  UNAUTHENTICATED: [401, 'Nobody knows who calls'],
  INVALID_CREDENTIALS: [401, 'The key or token is not valid'],
  FORBIDDEN: [403, 'Who calls may not do this'],
  UNKNOWN_MODEL: [404, 'There is no such model'],
  UNKNOWN_VERSION: [404, 'The model has no such version'],
  UNKNOWN_BREAKER: [404, 'There is no such circuit breaker'],
  NOT_FOUND: [404, 'There is nothing here'],
  METHOD_NOT_ALLOWED: [405, 'The method is not allowed'],
  // Only the log sees it: who would read it has gone.
  REQUEST_CANCELLED: [408, 'The caller hung up'],
  VERSION_CONFLICT: [409, 'Somebody else changed it first'],
  VERSION_PINNED: [409, 'The deployment decides on the version'],
  MODEL_PINNED: [409, 'The model is pinned'],
  MODEL_ALWAYS_LOADED: [409, 'The model is configured to stay'],
  NOT_PINNED: [409, 'The model is not pinned'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  RATE_LIMITED: [429, 'The caller has asked for more than it may in a minute'],
  TOO_MANY_FAILURES: [429, 'Too many wrong keys came from here'],
  OVERLOADED: [429, 'There is too much to do'],
  QUEUE_FULL: [429, 'Too many models wait for their load'],
  INFERENCE_FAILED: [500, 'The inference failed'],
  WORKER_CRASHED: [500, 'The model crashed with this request in it'],
  OUT_OF_MEMORY: [500, 'The model ran out of memory with this request in it'],
  BREAKER_OPEN: [503, 'Too many calls failed, so none is made for a while'],
  MODEL_LOADING: [503, 'The model is still loading'],
  MODEL_DRAINING: [503, 'The model is being unloaded'],
  MODEL_LOAD_FAILED: [503, 'The model could not be loaded'],
  LOAD_TIMEOUT: [503, 'The load took too long'],
  MEMORY_SHORT: [503, 'There is no room in memory now'],
  MEMORY_UNREADABLE: [503, 'The memory cannot be read'],
  MODEL_MISSING: [503, 'No model for this task is published'],
  MODEL_UNSUPPORTED: [503, 'The model cannot be served by this runtime'],
  FILE_CORRUPT: [503, 'A file of the model is damaged'],
  MANIFEST_INVALID: [503, 'The manifest of the model is not valid'],
  CACHE_FULL: [503, 'The model has no room in the cache'],
  OBJECT_NOT_FOUND: [503, 'A file of the model is missing'],
  OBJECT_CHANGED: [503, 'A file of the model changed while it was read'],
  STORE_REFUSED: [503, 'The model store refuses us'],
  STORE_UNAVAILABLE: [503, 'A store does not answer'],
  DEADLINE_EXCEEDED: [504, 'The deadline passed'],
  CANNOT_FIT: [507, 'The model can never fit in memory'],
};

const internal = 'INTERNAL_ERROR';
/** When a retryable failure does not say when. */
const defaultRetrySeconds = 2;

/** What may be told of anything that was thrown: nothing of an error that is not ours. */
export function problemOf(thrown: unknown, requestId?: string): Problem {
  const known = thrown instanceof CasaLinguaError ? thrown : undefined;
  const code = known?.code ?? internal;
  const [status, title] = kinds[code] ?? [500, 'Something went wrong inside'];
  const detail = known?.message ?? 'an internal error; the log has it under the request id';
  return {
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    error: detail,
    code,
    ...(known?.model === undefined ? {} : { model: known.model }),
    ...(known?.state === undefined ? {} : { state: known.state }),
    ...(known instanceof DeadlineExceededError && known.progress !== undefined ? { progress: known.progress } : {}),
    retryable: known?.retryable ?? false,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** The value of `Retry-After`: whole seconds with a retryable 429 or 503, otherwise nothing. */
export function retryAfterOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof CasaLinguaError) || !thrown.retryable) return undefined;
  const { status } = problemOf(thrown);
  if (status !== 429 && status !== 503) return undefined;
  return String(Math.max(1, Math.ceil(thrown.retryAfterSeconds ?? defaultRetrySeconds)));
}
