import { hc } from 'hono/client';
import type { ControlApp } from './control/app.ts';
import type { InferenceApp } from './inference/app.ts';

export interface ClientOptions {
  /** An API key: `cslg_…`. */
  readonly key?: string;
  /** Sends a request. @default - the global `fetch` */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
}

/**
 * The API with the types of its routes: what they take, and what they answer when it goes well. A failure is a problem document, or
 * under `/pipeline` its envelope: look at `ok` first.
 * @param url of the service, e.g. `https://translate.example`
 * @example
 * const { inference, control } = createClient('http://127.0.0.1:3000', { key });
 * const answer = await inference.translate.$post({ json: { q: 'Good morning.', source: 'en', target: 'es' } });
 * await control.admin.models[':id'].pin.$post({ param: { id: 'translate-en-es' }, json: { for: '2h' } });
 */
export function createClient(url: string, { key, fetch: send }: ClientOptions = {}) {
  const options = {
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
    ...(send === undefined
      ? {}
      : { fetch: async (input: string | URL | Request, init?: RequestInit) => send(new Request(input, init)) }),
  };
  return { inference: hc<InferenceApp>(url, options), control: hc<ControlApp>(url, options) };
}
