import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { composeSingleProcess, type SingleProcess } from '../../infra/local/serve-app.ts';
import type { Log, LogFields } from '../../shared/observability/log.ts';
import { modelFolders } from '../support/local-run.ts';
import { until } from '../support/process-state.ts';

const root = join(import.meta.dirname, '..', '..');

/** Keeps what was logged. */
function memoryLog(): Log & { readonly events: { event: string; fields: LogFields }[] } {
  const events: { event: string; fields: LogFields }[] = [];
  const keep = (event: string, fields: LogFields = {}) => events.push({ event, fields });
  return { events, info: keep, warn: keep, error: keep };
}

interface Answer {
  readonly translatedText: string | readonly string[];
  readonly detectedLanguage?: readonly { readonly language: string }[];
}

async function read(answer: Response): Promise<Answer> {
  return (await answer.json()) as Answer;
}

describe('all functions in one process', () => {
  let stores: LocalStores;
  let cacheFolder: string;
  let served: SingleProcess;
  const log = memoryLog();
  const translate = (body: object) =>
    served.app.request('/translate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const loadsOf = (id: string) =>
    log.events.filter(
      ({ event, fields }) =>
        event === 'model.state' && fields['state'] === 'DOWNLOADING' && String(fields['model']).startsWith(`${id}@`),
    );

  beforeAll(async () => {
    stores = await startLocalStores({ modelFolders });
    cacheFolder = await mkdtemp(join(tmpdir(), 'casalingua-single-'));
    Object.assign(process.env, stores.environment);
    const env = { ...process.env, CASALINGUA_CACHE_FOLDER: cacheFolder };
    served = composeSingleProcess(env, join(root, 'build', 'functions', 'inference'), log);
  });

  afterAll(async () => {
    await served?.close();
    await stores?.close();
    await rm(cacheFolder, { recursive: true, force: true });
  });

  it('loads a cold model once for all who ask for it at the same time', async () => {
    const asked = Array.from({ length: 20 }, () => translate({ q: 'I need help.', source: 'en', target: 'es' }));

    const answers = await Promise.all(asked);

    expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
    const texts = await Promise.all(answers.map(async (answer) => (await read(answer)).translatedText));
    expect(new Set(texts)).toEqual(new Set(['Necesito ayuda.']));
    expect(loadsOf('translate-en-es')).toHaveLength(1);
  });

  it('translates each text of an array from the language it is in', async () => {
    const answer = await translate({ q: ['Where is the library?', 'Buenos días.'], source: 'auto', target: 'en' });

    const { translatedText, detectedLanguage } = await read(answer);
    expect(translatedText).toEqual(['Where is the library?', 'Good morning.']);
    expect(detectedLanguage?.map(({ language }) => language)).toEqual(['en', 'es']);
  });

  it('keeps lines, white space and what holds no words', async () => {
    const q = '  I need help.\n\n\t🏠 1234 --\r\nI need help.  ';

    const answer = await translate({ q, source: 'en', target: 'es' });

    expect((await read(answer)).translatedText).toBe('  Necesito ayuda.\n\n\t🏠 1234 --\r\nNecesito ayuda.  ');
  });

  it('keeps markup and translates the text between', async () => {
    const q = '<p class="a">I need help.</p><script>I need help.</script><br/>I need help &amp; water.';

    const answer = await translate({ q, source: 'en', target: 'es', format: 'html' });

    const { translatedText } = await read(answer);
    expect(translatedText).toMatch(/^<p class="a">Necesito ayuda\.<\/p><script>I need help\.<\/script><br\/>Necesito /);
  });

  it('serves a model again after it was unloaded, in a new worker and without S3', async () => {
    await served.host.unload('translate-en-es@1.0.0');
    const before = loadsOf('translate-en-es').length;

    const answer = await translate({ q: 'I need help.', source: 'en', target: 'es' });

    expect((await read(answer)).translatedText).toBe('Necesito ayuda.');
    expect(loadsOf('translate-en-es')).toHaveLength(before + 1);
  });

  it('stops the work of a caller that hangs up', async () => {
    const server = serve({ fetch: served.app.fetch, port: 0, hostname: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const caller = new AbortController();
    const hopeless = fetch(`http://127.0.0.1:${port}/translate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ q: 'I need help.\n'.repeat(700), source: 'en', target: 'es' }),
      signal: caller.signal,
    });
    await until(() => served.host.status().some(({ leases }) => leases > 0));

    caller.abort();

    await expect(hopeless).rejects.toThrow('aborted');
    await until(() => log.events.some(({ fields }) => fields['code'] === 'REQUEST_CANCELLED'));
    expect(served.host.status().map(({ leases }) => leases)).not.toContain(1);
    server.close();
  });

  it('never logs a text', async () => {
    const marker = 'Zebrafinkenkäfig';
    await translate({ q: `Where is the ${marker}?`, source: 'en', target: 'es' });
    await translate({ q: `Where is the ${marker}?`, source: 'xx', target: marker });
    await served.app.request('/pipeline/detect', { method: 'POST', body: `{"text": "${marker}` });

    expect(JSON.stringify(log.events)).not.toContain(marker);
  });
});
