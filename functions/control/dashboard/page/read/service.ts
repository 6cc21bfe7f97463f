import type { ProblemDocument } from './documents.ts';

/** Why an answer is not what was asked for. */
export type Failure =
  /** 401: nobody knows who asks. */
  | { readonly kind: 'unauthenticated'; readonly problem: ProblemDocument | undefined }
  /** 403: who asks may not. */
  | { readonly kind: 'forbidden'; readonly problem: ProblemDocument | undefined }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly problem: ProblemDocument | undefined;
      readonly retryAfterMs: number;
    }
  | { readonly kind: 'silent'; readonly why: 'no connection' | 'too slow' }
  | { readonly kind: 'unreadable' };

export type Answer<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly failure: Failure };

export interface ServiceOptions {
  /** Of the API's root; ends with a slash. */
  readonly base: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The key to show; undefined: none. */
  readonly key: () => string | undefined;
  /** Aborted after so many ms. */
  readonly timeout: (ms: number) => AbortSignal;
}

export interface Service {
  get<Body>(path: string, signal?: AbortSignal): Promise<Answer<Body>>;
  post<Body>(path: string, body: object): Promise<Answer<Body>>;
}

/** As long as the gateway waits for an answer, and no longer. */
const ANSWER_MS = 30_000;
const READ_MS = 10_000;

/** The API as this page asks it: with the key, in bounded time, and with every failure as a value. Does not reject. */
export function createService({ base, fetch, key, timeout }: ServiceOptions): Service {
  return {
    get: (path, signal) => ask(path, { method: 'GET' }, signal, READ_MS),
    post: (path, body) =>
      ask(
        path,
        { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
        undefined,
        ANSWER_MS,
      ),
  };

  async function ask<Body>(
    path: string,
    init: RequestInit & { headers?: Record<string, string> },
    signal: AbortSignal | undefined,
    ms: number,
  ): Promise<Answer<Body>> {
    const late = timeout(ms);
    const shown = key();
    try {
      const response = await fetch(`${base}${path}`, {
        ...init,
        headers: { ...init.headers, ...(shown === undefined ? {} : { authorization: `Bearer ${shown}` }) },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      });
      if (response.ok) return { ok: true, body: (await response.json()) as Body };
      return { ok: false, failure: failureOf(response, await problemIn(response)) };
    } catch (thrown) {
      if (thrown instanceof SyntaxError) return { ok: false, failure: { kind: 'unreadable' } };
      return { ok: false, failure: { kind: 'silent', why: late.aborted ? 'too slow' : 'no connection' } };
    }
  }
}

function failureOf(response: Response, problem: ProblemDocument | undefined): Failure {
  const { status } = response;
  if (status === 401) return { kind: 'unauthenticated', problem };
  if (status === 403) return { kind: 'forbidden', problem };
  const seconds = Number(response.headers.get('retry-after'));
  return { kind: 'refused', status, problem, retryAfterMs: seconds > 0 ? seconds * 1_000 : 0 };
}

/** What the gateway itself refuses has a body of its own. */
async function problemIn(response: Response): Promise<ProblemDocument | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined;
  try {
    return (await response.json()) as ProblemDocument;
  } catch {
    return undefined;
  }
}

/** For people. */
export function inWords(failure: Failure): string {
  switch (failure.kind) {
    case 'unauthenticated':
      return failure.problem?.detail ?? 'the service asks who you are';
    case 'forbidden':
      return failure.problem?.detail ?? 'this is not allowed to you';
    case 'refused':
      return failure.problem === undefined
        ? `the service answers with HTTP ${failure.status}`
        : `${failure.problem.detail} (HTTP ${failure.status}, ${failure.problem.code})`;
    case 'silent':
      return failure.why === 'too slow' ? 'the service does not answer in time' : 'the service cannot be reached';
    case 'unreadable':
      return 'the answer is not JSON';
  }
}
