import type { JsonSchema, Parameter } from './operation.ts';

const text: JsonSchema = { type: 'string' };
const seconds: JsonSchema = { type: 'string', pattern: '^[1-9][0-9]*$' };

/** Headers of answers. Each is in the answers that name it. */
export const headers: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>> = {
  'X-Request-Id': {
    description: 'By which the log has the request: the one that came with it, or a new one.',
    schema: text,
  },
  'Retry-After': { description: 'Seconds until another try makes sense; missing where none does.', schema: seconds },
  RateLimit: {
    description: "What is left of the caller's share (RateLimit header fields for HTTP, IETF draft).",
    schema: text,
  },
  'RateLimit-Policy': { description: "The caller's share.", schema: text },
  'WWW-Authenticate': { description: 'How to say who one is (RFC 6750).', schema: text },
  'X-Fallback-Model': {
    description: 'Models that stood in for others, where a circuit breaker is open; with commas.',
    schema: text,
  },
  Location: { description: 'Where to look at what comes of it.', schema: text },
  ETag: { description: 'For `If-None-Match`.', schema: text },
  'Cache-Control': { description: 'Whether it may be kept.', schema: text },
};

export const requestId: Parameter = {
  name: 'X-Request-Id',
  in: 'header',
  description: 'An id for the log, 128 letters, digits, `-`, `_` or `=` at most; anything else is replaced.',
  schema: text,
};

/** How long a caller waits. */
export const deadlines: readonly Parameter[] = [
  {
    name: 'X-Request-Deadline-Ms',
    in: 'header',
    description: 'Milliseconds after which nobody reads the answer any more.',
    schema: { type: 'string', pattern: '^[0-9]{1,9}$' },
  },
  {
    name: 'Prefer',
    in: 'header',
    description: '`wait=<seconds>` (RFC 7240): the same in seconds; the shorter one counts.',
    schema: text,
  },
];

/** What failures mean, by status. */
export const failureWords: Readonly<Record<number, string>> = {
  400: 'The request is not valid.',
  401: 'Credentials are missing or not valid.',
  403: 'Who calls may not do this.',
  404: 'There is no such thing.',
  409: 'It cannot be done as things are.',
  413: 'The body is too large.',
  429: 'Over a limit, or there is too much to do.',
  500: 'The inference, or the server, failed.',
  503: 'A model or a store is not there now.',
  504: 'The deadline passed.',
  507: 'The model can never fit in memory.',
};

/** Headers that come with failures of a status. */
export const failureHeaders: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
};
