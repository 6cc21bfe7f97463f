import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onLoopback } from '../../infra/local/local-access.ts';
import type { LocalStores } from '../../infra/local/local-stores.ts';
import { composeSingleProcess } from '../../infra/local/serve-app.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Health, HeldModel } from './local-health.ts';
import { inferenceBundle, type Json } from './local-run.ts';

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly json: Json;
}

/** The deployed bundle in this process, asked through its routes. Nothing freezes it, and its health is of this moment. */
export interface ServedHere {
  readonly host: ModelHost;
  /** A sentence in the other of the two languages, with more members of the body or headers. */
  translate(source: 'en' | 'es', more?: Json, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Which language a sentence is in. @returns the status */
  detect(): Promise<number>;
  health(): Promise<Health>;
  /** As health tells of it; undefined while nobody has asked for it. */
  held(model: string): Promise<HeldModel | undefined>;
  /** Ends it, and removes its model files. */
  close(): Promise<void>;
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const sentences = { en: 'Where is the library?', es: '¿Dónde está la biblioteca?' } as const;

/** @param options.bundle the inference function's; default: as it is deployed */
export async function serveHere(
  stores: Pick<LocalStores, 'environment'>,
  options: { readonly bundle?: string; readonly variables?: Readonly<Record<string, string>> } = {},
): Promise<ServedHere> {
  const { bundle = inferenceBundle, variables = {} } = options;
  // The SDK reads its own variables where they stand.
  Object.assign(process.env, stores.environment);
  const cacheFolder = await mkdtemp(join(tmpdir(), 'casalingua-served-'));
  const env = { ...process.env, ...onLoopback, CASALINGUA_CACHE_FOLDER: cacheFolder, ...variables };
  const { app, host, close } = composeSingleProcess(env, bundle, silent);

  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const health = async () => (await (await app.request('/health/detailed')).json()) as Health;

  return {
    host,
    health,
    async translate(source, more = {}, headers = {}) {
      const target = source === 'en' ? 'es' : 'en';
      const answer = await post('/translate', { q: sentences[source], source, target, ...more }, headers);
      const json = (await answer.json()) as Json;
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), json };
    },
    detect: async () => (await post('/detect', { q: sentences.es })).status,
    held: async (model) => (await health()).instances[0]?.models.find(({ name }) => name === model),
    async close() {
      await close();
      await rm(cacheFolder, { recursive: true, force: true });
    },
  };
}
