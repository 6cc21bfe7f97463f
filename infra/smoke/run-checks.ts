import * as z from 'zod/mini';
import { messageOf } from '../../shared/errors.ts';
import type { Answer, Check } from './checks.ts';

/** Sends one request and resolves to its answer; rejects when there was none. */
export type Send = (request: Request) => Promise<Response>;

export interface SmokeOptions {
  /** Of the deployment, e.g. `https://abc.execute-api.eu-central-1.amazonaws.com`. */
  readonly url: string;
  readonly send: Send;
  /** Adds what proves who is calling. */
  readonly authorize: (request: Request) => Promise<Request>;
  /** Ms that one check may take with all its tries. */
  readonly patienceMs: number;
  readonly clock: { now(): number };
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface CheckResult {
  readonly name: string;
  /** Of the last answer; undefined: there was none. */
  readonly status: number | undefined;
  /** From the first try's start to the last one's end. */
  readonly ms: number;
  readonly tries: number;
  /** Undefined: all is well. */
  readonly fault: string | undefined;
}

/** Between two tries, where the answer does not say how long to wait. */
const PAUSE_MS = 2_000;
/** Not now, though perhaps later: a model that loads, a gateway that is throttled or ran out of time. */
const passing = [429, 502, 503, 504];

/** Runs the checks one after the other; never rejects. A passing failure is tried again, when and as long as it is worth it. */
export async function runChecks(checks: readonly Check[], options: SmokeOptions): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, options));
  return results;
}

async function runCheck(check: Check, options: SmokeOptions): Promise<CheckResult> {
  const { clock, patienceMs, sleep } = options;
  const begun = clock.now();
  for (let tries = 1; ; tries++) {
    const { status, fault, againInMs } = await tryOnce(check, options);
    const ms = clock.now() - begun;
    if (fault === undefined || againInMs === undefined || ms + againInMs > patienceMs) {
      return { name: check.name, status, ms, tries, fault };
    }
    await sleep(againInMs);
  }
}

interface Try {
  readonly status: number | undefined;
  readonly fault: string | undefined;
  /** Undefined: another try would end the same. */
  readonly againInMs: number | undefined;
}

async function tryOnce(check: Check, options: SmokeOptions): Promise<Try> {
  let answer: Answer;
  try {
    const request = requestOf(check, options.url);
    answer = await read(await options.send(check.anonymous ? request : await options.authorize(request)));
  } catch (error) {
    return { status: undefined, fault: `no answer: ${messageOf(error)}`, againInMs: PAUSE_MS };
  }
  return { status: answer.status, fault: check.fault(answer), againInMs: againInMs(answer) };
}

function requestOf({ path, body }: Check, url: string): Request {
  const target = new URL(path.slice(1), url.endsWith('/') ? url : `${url}/`);
  if (body === undefined) return new Request(target);
  const headers = { 'content-type': 'application/json' };
  return new Request(target, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const finalSchema = z.object({ retryable: z.literal(false) });

function againInMs({ status, headers, json }: Answer): number | undefined {
  if (!passing.includes(status) || finalSchema.safeParse(json).success) return undefined;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : PAUSE_MS;
}
