import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { modelProcess } from '../../infra/model-process.ts';
import { postJson, startLocalRun } from '../support/local-run.ts';

/** The bundles that are deployed, in processes that are frozen between requests, over real stores: what a user sees. */
describe('the local run', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalRun();
  });
  afterAll(() => stack.close());

  const english = 'Where is the nearest library?';
  const translate = (body: object) => postJson(`${stack.url}/translate`, body);

  it('translates English to Spanish and says which language it found', async () => {
    const { status, json } = await translate({ q: english, source: 'auto', target: 'es' });

    expect(status).toBe(200);
    expect(json['translatedText']).toMatch(/biblioteca/i);
    expect(json['detectedLanguage']).toMatchObject({ language: 'en' });
  });

  it('translates Spanish to English', async () => {
    const { json } = await translate({ q: '¿Dónde está la biblioteca?', source: 'es', target: 'en' });

    expect(json['translatedText']).toMatch(/library/i);
    expect(json).not.toHaveProperty('detectedLanguage');
  });

  it('translates an array text by text', async () => {
    const { json } = await translate({ q: [english, 'Good morning.'], source: 'en', target: 'es' });

    expect(json['translatedText']).toEqual([expect.stringMatching(/biblioteca/i), expect.stringMatching(/buenos/i)]);
  });

  it.each([
    ['urlencoded', () => new URLSearchParams({ q: english, source: 'en', target: 'es' })],
    [
      'multipart',
      () => {
        const form = new FormData();
        for (const [name, value] of Object.entries({ q: english, source: 'en', target: 'es' })) form.set(name, value);
        return form;
      },
    ],
  ])('takes a form, %s', async (_, body) => {
    const answer = await fetch(`${stack.url}/translate`, { method: 'POST', body: body() });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ translatedText: expect.stringMatching(/biblioteca/i) });
  });

  it("answers CasaLingua's own callers in their envelope", async () => {
    const body = { text: english, source_language: 'en', target_language: 'es' };

    const { status, json } = await postJson(`${stack.url}/pipeline/translate`, body);

    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'success',
      data: { source_text: english, translated_text: expect.stringMatching(/biblioteca/i), target_language: 'es' },
    });
  });

  it.runIf(process.platform === 'linux')('starts who holds models as a deployed function is started', async () => {
    await translate({ q: english, source: 'en', target: 'es' });
    const variablesOf = async (name: string) => {
      const { pid } = stack.instances().find(({ id }) => id.startsWith(name)) ?? {};
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      return Object.fromEntries(environment.split('\0').map((line) => line.split(/=(.*)/s)));
    };

    expect(await variablesOf('inference')).toMatchObject(modelProcess);
  });

  it('detects a language', async () => {
    const answer = await fetch(`${stack.url}/detect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ q: '¿Dónde está la biblioteca?' }),
    });

    const [best] = (await answer.json()) as unknown[];
    expect(best).toMatchObject({ language: 'es', confidence: expect.any(Number) });
  });

  it('lists its languages', async () => {
    const languages = await (await fetch(`${stack.url}/languages`)).json();

    expect(languages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'en', targets: expect.arrayContaining(['es']) }),
        expect.objectContaining({ code: 'es', targets: expect.arrayContaining(['en']) }),
      ]),
    );
  });

  it.each(['/health', '/liveness', '/readiness'])('is well: %s', async (path) => {
    expect((await fetch(stack.url + path)).status).toBe(200);
  });

  it('lets the app answer a wrong method, and the gateway a path that leads nowhere', async () => {
    expect((await fetch(`${stack.url}/translate`)).status).toBe(405);
    expect(await (await fetch(`${stack.url}/nowhere`)).json()).toEqual({ message: 'Not Found' });
  });

  it('answers a request that it cannot read with a problem', async () => {
    const { status, headers, json } = await translate({ q: english, target: 'es', source: 'xx' });

    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/problem\+json/);
    expect(json).toMatchObject({ status: 400, error: expect.any(String), retryable: false });
  });
});
