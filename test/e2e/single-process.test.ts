import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onLoopback } from '../../infra/local/local-access.ts';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { composeSingleProcess, type SingleProcess } from '../../infra/local/serve-app.ts';
import type { Log, LogFields } from '../../shared/observability/log.ts';
import { modelFolders } from '../support/local-run.ts';
import { until } from '../support/process-state.ts';
import { referenceLines } from '../support/reference-lines.ts';

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
    const env = { ...process.env, ...onLoopback, CASALINGUA_CACHE_FOLDER: cacheFolder };
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

  it('runs those together who ask for the same at the same time, and each gets what it would get alone', async () => {
    const sentences = (await referenceLines('en-es'))
      .map(({ source }) => source)
      .filter(({ length }) => length < 25)
      .slice(0, 32);
    const textOf = async (q: string) => (await read(await translate({ q, source: 'en', target: 'es' }))).translatedText;
    const alone: unknown[] = [];
    for (const sentence of sentences) alone.push(await textOf(sentence));
    const before = served.gate.report();

    const together = await Promise.all(sentences.map(textOf));

    // Activations of int8 weights are scaled by batch: a word may differ, which the full run counts.
    const same = together.filter((text, index) => text === alone[index]);
    expect(same.length).toBeGreaterThanOrEqual(28);
    const { batches, batchedRequests, inFlight, waiting } = served.gate.report();
    expect(batches).toBeGreaterThan(before.batches);
    expect(batchedRequests - before.batchedRequests).toBeGreaterThanOrEqual(20);
    expect([inFlight, waiting]).toEqual([0, 0]);
  });

  it('refuses at once whom it could not answer in time, and says when to come back', async () => {
    const body = JSON.stringify({ q: 'I need help. '.repeat(5), source: 'en', target: 'es' });
    const { p90 = 0 } = served.gate.report().serviceMs ?? {};
    const headers = { 'content-type': 'application/json', 'x-request-deadline-ms': String(Math.ceil(5 * p90)) };
    const ask = () => served.app.request('/translate', { method: 'POST', headers, body });

    const answers = await Promise.all(Array.from({ length: 300 }, ask));

    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(50);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => [200, 429, 504].includes(status))).toBe(true);
    for (const answer of refused) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused[0]?.json()).toMatchObject({ code: 'OVERLOADED', retryable: true });
    expect((await served.app.request('/health')).status).toBe(200);
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
    expect(served.gate.report()).toMatchObject({ inFlight: 0, waiting: 0 });
    server.close();
  });

  it('does at once what an operator wants, though nobody asks for the model', async () => {
    const admin = { authorization: `Bearer ${stores.apiKey}` };
    const say = (action: string) =>
      served.app.request(`/admin/models/translate-es-en/${action}`, { method: 'POST', headers: admin });
    const isReady = () => served.host.isReady('translate-es-en');

    expect((await say('unload')).status).toBe(202);
    await until(() => !isReady());
    expect((await say('load')).status).toBe(202);
    await until(isReady);

    const seen = await served.app.request('/admin/models/translate-es-en', { headers: admin });
    expect(await seen.json()).toMatchObject({ ready: true, wish: { want: 'loaded', seq: 2, carried_out: 1 } });
  });

  it('never logs a text', async () => {
    const marker = 'Zebrafinkenkäfig';
    await translate({ q: `Where is the ${marker}?`, source: 'en', target: 'es' });
    await translate({ q: `Where is the ${marker}?`, source: 'xx', target: marker });
    await served.app.request('/pipeline/detect', { method: 'POST', body: `{"text": "${marker}` });

    expect(JSON.stringify(log.events)).not.toContain(marker);
  });
});
