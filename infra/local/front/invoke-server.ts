import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../listen.ts';
import { readBody } from './body.ts';
import { decodedPath } from './event.ts';
import type { Outcome } from './local-function.ts';

export interface InvokeServer {
  /** For `AWS_ENDPOINT_URL_LAMBDA`. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Lambda's own, for events. */
const MAX_EVENT_BYTES = 256 * 1024;
const INVOKE = /^\/2015-03-31\/functions\/(?<name>[^/]+)\/invocations$/;

/** Ms until an event is tried again that found no instance free; each wait is twice the one before, up to Lambda's five minutes. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Lambda's Invoke API on loopback, as far as one function calls another and does not wait for it.
 * @param invoke runs the function on an event; undefined: there is no such function. Does not reject
 */
export async function startInvokeServer(
  invoke: (name: string, event: object) => Promise<Outcome> | undefined,
  retryMs = RETRY_MS,
): Promise<InvokeServer> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, type?: string) => {
      response.writeHead(
        status,
        type === undefined ? {} : { 'content-type': 'application/json', 'x-amzn-errortype': type },
      );
      response.end(type === undefined ? '' : JSON.stringify({ Message: type }));
    };
    const body = await readBody(request, MAX_EVENT_BYTES).catch(() => undefined);
    if (body === undefined) return response.destroy();
    const name = INVOKE.exec(decodedPath(request.url ?? '') ?? '')?.groups?.['name'];
    if (request.method !== 'POST' || name === undefined) return answer(404, 'UnknownOperationException');
    if (request.headers['x-amz-invocation-type'] !== 'Event') return answer(400, 'InvalidParameterValueException');
    if (body === 'too large') return answer(413, 'RequestTooLargeException');
    const event = parse(body.toString());
    if (event === undefined) return answer(400, 'InvalidRequestContentException');
    const outcome = invoke(name, event);
    if (outcome === undefined) return answer(404, 'ResourceNotFoundException');
    void deliver(outcome, () => invoke(name, event));
    return answer(202);
  });
  const closing = new AbortController();
  /** Until an instance has taken it, whatever came of it then. */
  const deliver = async (first: Promise<Outcome>, again: () => Promise<Outcome> | undefined) => {
    let outcome = await first;
    for (let ms = retryMs; outcome.type === 'throttled'; ms = Math.min(2 * ms, LONGEST_RETRY_MS)) {
      await delay(ms, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      outcome = (await again()) ?? outcome;
    }
  };
  const port = await listenOnLoopback(server, 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close() {
      closing.abort();
      return closeServer(server);
    },
  };
}

function parse(text: string): object | undefined {
  try {
    const event: unknown = JSON.parse(text);
    return typeof event === 'object' && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
}
