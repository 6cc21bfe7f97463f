import { describe, expect, it } from 'vitest';
import {
  createFakeCatalog,
  detectionManifest,
  shippedManifests,
  translationManifest,
} from '../support/fake-catalog.ts';
import { createFakeHost } from '../support/fake-host.ts';
import { createTestApp, postForm, postJson, read } from '../support/inference-app.ts';

describe('POST /translate', () => {
  it('translates a text', async () => {
    const { status, headers, body } = await postJson(createTestApp().app, '/translate', {
      q: 'Where is it?',
      source: 'en',
      target: 'es',
    });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual({ translatedText: 'WHERE IS IT?' });
  });

  it('translates an array into an array, in one run', async () => {
    const { app, host } = createTestApp();
    const { body } = await postJson(app, '/translate', { q: ['one', 'two'], source: 'en', target: 'es' });
    expect(body).toEqual({ translatedText: ['ONE', 'TWO'] });
    expect(host.runs).toEqual([
      {
        model: 'translate-en-es',
        input: { task: 'translation', texts: ['one', 'two'], source: 'en', target: 'es' },
      },
    ]);
    expect(host.leasesHeld()).toBe(0);
  });

  it('takes an urlencoded form, whose line breaks become those of Unix', async () => {
    const { app } = createTestApp();
    const { body } = await postForm(app, '/translate', { q: 'one\r\ntwo', source: 'en', target: 'es', api_key: '' });
    expect(body).toEqual({ translatedText: 'ONE\nTWO' });
  });

  it('takes a multipart form, in which q may come more than once', async () => {
    const form = new FormData();
    for (const [name, value] of [
      ['q', 'one'],
      ['q', 'two'],
      ['source', 'en'],
      ['target', 'es'],
    ] as const) {
      form.append(name, value);
    }
    const { body } = await read(await createTestApp().app.request('/translate', { method: 'POST', body: form }));
    expect(body).toEqual({ translatedText: ['ONE', 'TWO'] });
  });

  it('takes parameters of the address', async () => {
    const { app } = createTestApp();
    const { body } = await read(await app.request('/translate?q=one&source=en&target=es', { method: 'POST' }));
    expect(body).toEqual({ translatedText: 'ONE' });
  });

  it.each(['application/json; charset=utf-8', 'application/ld+json'])('takes %s', async (type) => {
    const { body } = await postJson(
      createTestApp().app,
      '/translate',
      { q: 'one', source: 'en', target: 'es' },
      { 'content-type': type },
    );
    expect(body).toEqual({ translatedText: 'ONE' });
  });

  it('understands regional variants', async () => {
    const { body } = await postJson(createTestApp().app, '/translate', { q: 'one', source: 'en-US', target: 'es_MX' });
    expect(body).toEqual({ translatedText: 'ONE' });
  });

  it.each(['😀', '12:30 – 14:00', ' ', '...'])('returns %j as it is, and asks no model', async (q) => {
    const { app, host } = createTestApp();
    const { body } = await postJson(app, '/translate', { q, source: 'en', target: 'es' });
    expect(body).toEqual({ translatedText: q });
    expect(host.runs).toEqual([]);
  });

  it('returns a text that is in the target language already as it is', async () => {
    const { body } = await postJson(createTestApp().app, '/translate', { q: 'one', source: 'en', target: 'en' });
    expect(body).toEqual({ translatedText: 'one' });
  });

  it('gives alternatives when they are asked for: a list, or for an array a list of lists', async () => {
    const { app } = createTestApp();
    const one = await postJson(app, '/translate', { q: 'one', source: 'en', target: 'es', alternatives: 2 });
    const more = await postForm(app, '/translate', { q: 'one', source: 'en', target: 'es', alternatives: '1' });
    const list = await postJson(app, '/translate', { q: ['one', '1'], source: 'en', target: 'es', alternatives: 1 });
    expect(one.body).toEqual({ translatedText: 'ONE', alternatives: ['ONE (2)', 'ONE (3)'] });
    expect(more.body).toEqual({ translatedText: 'ONE', alternatives: ['ONE (2)'] });
    expect(list.body).toEqual({ translatedText: ['ONE', '1'], alternatives: [['ONE (2)'], []] });
  });

  it('gives none where fewer than none are asked for', async () => {
    const request = { q: 'one', source: 'en', target: 'es', alternatives: -1 };
    expect((await postJson(createTestApp().app, '/translate', request)).body).toEqual({ translatedText: 'ONE' });
  });
});

describe('POST /translate with format html', () => {
  it('keeps the markup and translates the text between', async () => {
    const { app, host } = createTestApp();
    const q = '<p class="a">rent &amp; <b>deposit</b><br/> due</p>';
    const { body } = await postJson(app, '/translate', { q, source: 'en', target: 'es', format: 'html' });
    expect(body).toEqual({ translatedText: '<p class="a">RENT &amp; <b>DEPOSIT</b><br/> DUE</p>' });
    expect(host.runs).toHaveLength(1);
  });

  it('gives no alternatives, as LibreTranslate', async () => {
    const q = '<p>rent</p>';
    const request = { q, source: 'auto', target: 'es', format: 'html', alternatives: 2 };
    expect((await postJson(createTestApp().app, '/translate', request)).body).toEqual({
      translatedText: '<p>RENT</p>',
      detectedLanguage: { language: 'en', confidence: 90 },
      alternatives: [],
    });
  });

  it('returns a document without text as it is', async () => {
    const request = { q: '<br><!-- rent -->', source: 'en', target: 'es', format: 'html' };
    expect((await postJson(createTestApp().app, '/translate', request)).body).toEqual({
      translatedText: '<br><!-- rent -->',
    });
  });
});

describe('POST /translate with source auto', () => {
  it('tells what it detected, in whole percent', async () => {
    const request = { q: 'hola mundo', source: 'auto', target: 'en' };
    expect((await postJson(createTestApp().app, '/translate', request)).body).toEqual({
      translatedText: 'HOLA MUNDO',
      detectedLanguage: { language: 'es', confidence: 90 },
    });
  });

  it('judges each text of an array for itself, and runs each model once', async () => {
    const catalog = createFakeCatalog([detectionManifest, translationManifest('to-fr', 'en>fr', 'es>fr')]);
    const { app, host } = createTestApp({ catalog });
    const q = ['hello', 'hola', '😀', 'hello you', 'mundo'];
    const { body } = await postJson(app, '/translate', { q, source: 'auto', target: 'fr' });
    expect(body).toEqual({
      translatedText: ['HELLO', 'HOLA', '😀', 'HELLO YOU', 'MUNDO'],
      detectedLanguage: [
        { language: 'en', confidence: 90 },
        { language: 'es', confidence: 90 },
        { language: 'en', confidence: 0 },
        { language: 'en', confidence: 90 },
        { language: 'es', confidence: 90 },
      ],
    });
    expect(host.runs.map(({ input }) => [input.task, input.texts])).toEqual([
      ['language-detection', ['hello', 'hola', 'hello you', 'mundo']],
      ['translation', ['hello', 'hello you']],
      ['translation', ['hola', 'mundo']],
    ]);
  });

  it('takes the best candidate that there is a model for', async () => {
    const detect = () => [
      { language: 'fr', confidence: 0.7 },
      { language: 'es', confidence: 0.2 },
    ];
    const { app } = createTestApp({ host: createFakeHost({ detect }) });
    expect((await postJson(app, '/translate', { q: 'bonjour', source: 'auto', target: 'en' })).body).toEqual({
      translatedText: 'BONJOUR',
      detectedLanguage: { language: 'es', confidence: 20 },
    });
  });

  it('takes English with no confidence where there is none, as LibreTranslate', async () => {
    const detect = () => [{ language: 'fr', confidence: 0.7 }];
    const { app } = createTestApp({ host: createFakeHost({ detect }) });
    expect((await postJson(app, '/translate', { q: 'bonjour', source: 'auto', target: 'es' })).body).toEqual({
      translatedText: 'BONJOUR',
      detectedLanguage: { language: 'en', confidence: 0 },
    });
  });

  it('needs no English where something was detected', async () => {
    const catalog = createFakeCatalog([detectionManifest, translationManifest('m', 'es>fr')]);
    const { app } = createTestApp({ catalog });
    const found = await postJson(app, '/translate', { q: 'hola', source: 'auto', target: 'fr' });
    const nothing = await postJson(app, '/translate', { q: '123', source: 'auto', target: 'fr' });
    expect(found.body).toMatchObject({ translatedText: 'HOLA', detectedLanguage: { language: 'es' } });
    expect(nothing).toMatchObject({ status: 400, body: { error: 'auto is not supported' } });
  });

  it('judges a document by its text, not by its markup', async () => {
    const { app, host } = createTestApp();
    const request = { q: '<b title="hola">rent</b> due', source: 'auto', target: 'es', format: 'html' };
    await postJson(app, '/translate', request);
    expect(host.runs[0]?.input.texts).toEqual(['rent\ndue']);
  });
});

describe('POST /detect', () => {
  it('lists languages in whole percent, best first', async () => {
    const { status, body } = await postForm(createTestApp().app, '/detect', { q: 'hola' });
    expect(status).toBe(200);
    expect(body).toEqual([
      { language: 'es', confidence: 90 },
      { language: 'en', confidence: 10 },
    ]);
  });

  it('gives one verdict for an array, longer texts weighing more', async () => {
    const { body } = await postJson(createTestApp().app, '/detect', { q: ['hello all', 'hola', '1'] });
    expect(body).toEqual([
      { language: 'en', confidence: 65 },
      { language: 'es', confidence: 35 },
    ]);
  });

  it('says English with no confidence where nothing can be told, as LibreTranslate', async () => {
    const { body } = await postJson(createTestApp().app, '/detect', { q: '123' });
    expect(body).toEqual([{ language: 'en', confidence: 0 }]);
  });
});

describe('GET /languages', () => {
  it('names each language and what it can be translated into, itself included', async () => {
    const { body } = await read(await createTestApp().app.request('/languages'));
    expect(body).toEqual([
      { code: 'en', name: 'English', targets: ['en', 'es'] },
      { code: 'es', name: 'Spanish', targets: ['en', 'es'] },
    ]);
  });

  it('is empty where no model translates', async () => {
    const { app } = createTestApp({ catalog: createFakeCatalog(shippedManifests.slice(0, 1)) });
    expect((await read(await app.request('/languages'))).body).toEqual([]);
  });
});
