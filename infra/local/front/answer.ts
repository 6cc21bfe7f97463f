/** What goes back to the HTTP client. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** The gateway's own words, as an HTTP API has them. */
export const gatewayAnswers = {
  badRequest: own(400, 'Bad Request'),
  notFound: own(404, 'Not Found'),
  tooLarge: own(413, 'Request Entity Too Large'),
  failed: own(500, 'Internal Server Error'),
  unavailable: own(503, 'Service Unavailable'),
} as const;

/** Headers that belong to the connection: the gateway decides them itself. */
const CONNECTION_HEADERS = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * A function's result (JSON text) as an HTTP API answers it: payload format 2.0 with a `statusCode`, or anything else as
 * the body of a 200. Undefined when the gateway could make nothing of it, which it answers with 500.
 */
export function toAnswer(payload: string): HttpAnswer | undefined {
  const result = parse(payload);
  if (result === undefined) return undefined;
  if (!isRecord(result.value) || !('statusCode' in result.value)) {
    const body = typeof result.value === 'string' ? result.value : payload;
    return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(body) };
  }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = result.value;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (!isRecord(headers) || !Array.isArray(cookies) || typeof body !== 'string') return undefined;
  const named = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    .filter(([name]) => !CONNECTION_HEADERS.has(name));
  const typed = named.some(([name]) => name === 'content-type');
  return {
    status,
    headers: [
      ...(typed ? [] : [['content-type', 'text/plain;charset=UTF-8'] as const]),
      ...named,
      ...cookies.map((cookie) => ['set-cookie', String(cookie)] as const),
    ],
    body: Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function own(status: number, message: string): HttpAnswer {
  return { status, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify({ message })) };
}

/** Wrapped, since `null` is a value too. */
function parse(payload: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(payload) };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
