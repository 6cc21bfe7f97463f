import { complaints, misfits, operationFor } from '../support/described-api.ts';
import type { FuzzedRequest } from './requests.ts';

const problem = { $ref: '#/components/schemas/Problem' };
const pipelineFailure = { $ref: '#/components/schemas/PipelineFailure' };

/** What is wrong with an answer, whatever the request was. Empty: nothing. */
export async function wrongsOf({ method, target }: FuzzedRequest, response: Response): Promise<readonly string[]> {
  const path = pathOf(target);
  const { status } = response;
  const found: string[] = [];
  if (status === 500) found.push('500');
  if (!response.headers.has('x-request-id')) found.push('no request id');
  if (method === 'HEAD' || status === 204) return found;
  const isDescribed = operationFor(method, path) !== undefined;
  if (isDescribed) found.push(...(await complaints(method, path, response)));
  const body = await jsonOf(response);
  if (status >= 400 && !isDescribed) {
    const [type, schema] = /^\/pipeline\/./.test(path)
      ? (['application/json', pipelineFailure] as const)
      : (['application/problem+json', problem] as const);
    if (response.headers.get('content-type') !== type)
      found.push(`${status} as ${response.headers.get('content-type')}`);
    found.push(...misfits(type, schema, body));
  }
  const retries = status === 429 || (status === 503 && isRetryable(body));
  if (retries && !/^[1-9]\d*$/.test(response.headers.get('retry-after') ?? ''))
    found.push(`${status} without Retry-After`);
  const stated = statusIn(body);
  if (status >= 400 && stated !== undefined && stated !== status) found.push(`${status} says it is ${stated}`);
  return found;
}

/** As a server that is given the target understands its path. */
function pathOf(target: string): string {
  try {
    return new URL(`http://host${target}`).pathname;
  } catch {
    return target;
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.clone().text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Failure {
  readonly status?: unknown;
  readonly retryable?: unknown;
  readonly error?: { readonly details?: { readonly retryable?: unknown } };
}

function isRetryable(body: unknown): boolean {
  const { retryable, error } = (body ?? {}) as Failure;
  return retryable === true || error?.details?.retryable === true;
}

function statusIn(body: unknown): number | undefined {
  const { status } = (body ?? {}) as Failure;
  return typeof status === 'number' ? status : undefined;
}

/** What is wrong with what came back for bytes that may have been no request at all. */
export function wrongsOfRaw(answer: Buffer): readonly string[] {
  const text = answer.toString('latin1');
  if (text === '') return [];
  const statuses = [...text.matchAll(/(?:^|\n|\})HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  if (statuses.length === 0) return ['no HTTP came back'];
  return statuses.filter((status) => status >= 500 && ![503, 504].includes(status)).map((status) => `${status}`);
}
