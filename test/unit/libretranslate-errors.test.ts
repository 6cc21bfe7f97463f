import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Limits } from '../../shared/config/settings.ts';
import { ModelLoadFailedError } from '../../shared/host/errors.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { InferenceFailedError } from '../../shared/runtime/errors.ts';
import { createFakeCatalog, shippedManifests, translationManifest } from '../support/fake-catalog.ts';
import { createFakeHost, type FakeHostOptions, modelStatus, untilGivenUp } from '../support/fake-host.ts';
import { createTestApp, postForm, postJson, read } from '../support/inference-app.ts';

const keepAliveForm =
  'a number of seconds or a duration like "5m" or "1h30m" (0: unload after this request, negative: keep)';
const good = { q: 'Hello', source: 'en', target: 'es' };

describe('LibreTranslate says word for word', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['no q', { source: 'en', target: 'es' }, 'Invalid request: missing q parameter'],
    ['an empty q', { ...good, q: '' }, 'Invalid request: missing q parameter'],
    ['an empty array', { ...good, q: [] }, 'Invalid request: missing q parameter'],
    ['null for q', { ...good, q: null }, 'Invalid request: missing q parameter'],
    ['no source', { q: 'Hello', target: 'es' }, 'Invalid request: missing source parameter'],
    ['no target', { q: 'Hello', source: 'en' }, 'Invalid request: missing target parameter'],
    ['an unknown source', { ...good, source: 'zz' }, 'zz is not supported'],
    ['an unknown target', { ...good, target: 'zz' }, 'zz is not supported'],
    ['an unknown format', { ...good, format: 'xml' }, 'xml format is not supported'],
    ['wrong alternatives', { ...good, alternatives: 'abc' }, 'Invalid request: alternatives parameter is not a number'],
    ['too many alternatives', { ...good, alternatives: 4 }, 'Invalid request: alternatives parameter must be <= 3'],
  ];

  it.each(cases)('for %s', async (_, request, error) => {
    const { status, headers, body } = await postJson(createTestApp().app, '/translate', request);
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ error, status: 400, retryable: false });
  });

  it.each(cases.filter(([, { q }]) => typeof q === 'string'))(
    'the same of a form, for %s',
    async (_, fields, error) => {
      const form = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
      expect(await postForm(createTestApp().app, '/translate', form)).toMatchObject({ status: 400, body: { error } });
    },
  );

  it('for a direction without a model', async () => {
    const catalog = createFakeCatalog([translationManifest('m', 'en>es', 'es>fr')]);
    const { body } = await postJson(createTestApp({ catalog }).app, '/translate', { ...good, target: 'fr' });
    expect(body['error']).toBe('French (fr) is not available as a target language from English (en)');
  });

  const limits: Partial<Limits> = { textCharacters: 5, batchTexts: 2, batchCharacters: 8 };
  it.each([
    ['a text', 'abcdef', 6, 5],
    ['a text in an array', ['a', 'abcdef'], 6, 5],
    ['an array', ['a', 'b', 'c'], 3, 2],
    ['all texts together', ['abcde', 'abcde'], 10, 8],
  ])('for %s over the limit', async (_, q, size, limit) => {
    const error = `Invalid request: request (${size}) exceeds text limit (${limit})`;
    expect(await postJson(createTestApp({ limits }).app, '/translate', { ...good, q })).toMatchObject({
      status: 400,
      body: { error, code: 'TEXT_TOO_LONG' },
    });
    expect(await postJson(createTestApp({ limits }).app, '/detect', { q })).toMatchObject({
      status: 400,
      body: { error },
    });
  });

  it('counts characters as people do', async () => {
    const { status } = await postJson(createTestApp({ limits }).app, '/translate', { ...good, q: '😀😀😀😀😀' });
    expect(status).toBe(200);
  });

  it.each([
    ['an array', '[]', 'Invalid JSON format'],
    ['a text', '"Hello"', 'Invalid JSON format'],
    ['null', 'null', 'Invalid JSON format'],
    ['{', '{', 'The browser (or proxy) sent a request that this server could not understand.'],
    ['nothing', '', 'The browser (or proxy) sent a request that this server could not understand.'],
  ])('for a JSON body that is %s', async (_, body, error) => {
    for (const path of ['/translate', '/detect']) {
      const headers = { 'content-type': 'application/json' };
      const response = await createTestApp().app.request(path, { method: 'POST', headers, body });
      expect(await read(response)).toMatchObject({ status: 400, body: { error } });
    }
  });

  it('for a multipart body that is none', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const response = await createTestApp().app.request('/translate', { method: 'POST', headers, body: 'nonsense' });
    expect(await read(response)).toMatchObject({
      status: 400,
      body: { error: 'The browser (or proxy) sent a request that this server could not understand.' },
    });
  });

  it('for a body without a type, and for no body', async () => {
    const { app } = createTestApp();
    for (const path of ['/translate', '/detect']) {
      const bare = await app.request(path, { method: 'POST' });
      expect(await read(bare)).toMatchObject({ status: 400, body: { error: 'Invalid request: missing q parameter' } });
    }
  });

  it.each([
    ['q', 7, 'a text or an array of texts'],
    ['q', ['a', 7], 'a text or an array of texts'],
    ['q', { a: 1 }, 'a text or an array of texts'],
    ['source', 7, 'a text'],
    ['target', ['es'], 'a text'],
    ['format', true, 'a text'],
    ['alternatives', true, 'a number'],
    ['keep_alive', 'soon', keepAliveForm],
    ['keep_alive', [5], keepAliveForm],
  ])('in the same manner for %s that is %j', async (name, value, wanted) => {
    const { status, body } = await postJson(createTestApp().app, '/translate', { ...good, [name]: value });
    expect(status).toBe(400);
    expect(body['error']).toBe(`Invalid request: ${name} parameter is not ${wanted}`);
  });

  it('of a language no more than a code has room for', async () => {
    const { body } = await postJson(createTestApp().app, '/translate', { ...good, target: 'x'.repeat(500) });
    expect(body['error']).toBe(`${'x'.repeat(35)} is not supported`);
  });
});

describe('when the model fails', () => {
  // Only the deadline's timer: it goes off when a test says so.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const untilTheDeadline = (signal: AbortSignal | undefined) => {
    vi.advanceTimersByTime(1000);
    return untilGivenUp(signal);
  };

  const ask = (options: FakeHostOptions, headers: Record<string, string> = {}) => {
    const host = createFakeHost(options);
    return postJson(createTestApp({ host }).app, '/translate', good, headers).then((answer) => ({ ...answer, host }));
  };

  it('in the inference, it is 500 in the words of LibreTranslate, and the lease is given back', async () => {
    const beforeRun = () => Promise.reject(new InferenceFailedError('the engine refused'));
    const { status, body, host } = await ask({ beforeRun });
    expect(status).toBe(500);
    expect(body).toMatchObject({ error: 'Cannot translate text: the engine refused', code: 'INFERENCE_FAILED' });
    expect(host.leasesHeld()).toBe(0);
  });

  it('for good in its load, it is 503 that names the model and no time to come back', async () => {
    const cause = new FileCorruptError('decoder.onnx has another sha256');
    const failure = new ModelLoadFailedError('decoder.onnx has another sha256', {
      retryable: false,
      model: 'translate-en-es@1',
      state: 'FAILED',
      cause,
    });
    const { status, headers, body } = await ask({ beforeLease: () => Promise.reject(failure) });
    expect(status).toBe(503);
    expect(headers.has('retry-after')).toBe(false);
    expect(body).toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      model: 'translate-en-es@1',
      state: 'FAILED',
      retryable: false,
      detail: 'decoder.onnx has another sha256',
    });
  });

  const loading = (secondsLeft: number | undefined): ModelStatus =>
    modelStatus({ state: 'DOWNLOADING', progress: 0.425, ...(secondsLeft === undefined ? {} : { secondsLeft }) });

  it.each([
    ['what the host says, in whole seconds', loading(9.2), '10'],
    ['one second at least', loading(0), '1'],
    ['two seconds where the host cannot tell', loading(undefined), '2'],
    ['two minutes at most', loading(600), '120'],
  ])('to be ready in time, it is 503 with Retry-After: %s', async (_, status, retryAfter) => {
    const beforeLease: FakeHostOptions['beforeLease'] = (_manifest, signal) => untilTheDeadline(signal);
    const answer = await ask({ beforeLease, status: [status] }, { 'x-request-deadline-ms': '1000' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
    expect(answer.body).toMatchObject({
      code: 'MODEL_LOADING',
      detail: 'model translate-en-es is still loading (42 %)',
      model: 'translate-en-es',
      state: 'DOWNLOADING',
      retryable: true,
    });
  });

  it('to be leased in time although it is ready, it is 504', async () => {
    const beforeLease: FakeHostOptions['beforeLease'] = (_manifest, signal) => untilTheDeadline(signal);
    const answer = await ask({ beforeLease, status: [modelStatus()] }, { 'x-request-deadline-ms': '1000' });
    expect(answer).toMatchObject({ status: 504, body: { code: 'DEADLINE_EXCEEDED' } });
  });

  it('to finish in time, it is 504 with how far the request came', async () => {
    const manifests = [...shippedManifests.slice(0, 1), translationManifest('to-fr', 'en>fr', 'es>fr')];
    const host = createFakeHost({
      beforeRun: async (input, signal) => {
        if (input.task === 'translation' && input.source === 'es') await untilTheDeadline(signal);
      },
    });
    const { app } = createTestApp({ host, catalog: createFakeCatalog(manifests) });
    const request = { q: ['one', 'two', 'three', 'hola'], source: 'auto', target: 'fr' };
    const { status, body } = await postJson(app, '/translate', request, { 'x-request-deadline-ms': '1000' });
    expect(status).toBe(504);
    expect(body).toMatchObject({ code: 'DEADLINE_EXCEEDED', model: 'to-fr', progress: 0.75, retryable: true });
    expect(host.leasesHeld()).toBe(0);
  });

  it('or when all goes well, no timer is left', async () => {
    const { status } = await ask({}, { 'x-request-deadline-ms': '1000' });
    expect(status).toBe(200);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('when the catalog is not whole', () => {
  it('an unreachable store is 503 with Retry-After', async () => {
    const models = () => Promise.reject(new StoreUnavailableError('the store does not answer'));
    const catalog = { ...createFakeCatalog([]), models };
    const { status, headers, body } = await postJson(createTestApp({ catalog }).app, '/translate', good);
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('2');
    expect(body['code']).toBe('STORE_UNAVAILABLE');
  });

  it('a language that may be of a broken model is 503 that names it, and nonsense is 400 still', async () => {
    const catalog = createFakeCatalog(shippedManifests, { 'fr-en': new FileCorruptError('manifest.json is damaged') });
    const { app } = createTestApp({ catalog });
    const french = await postJson(app, '/translate', { ...good, source: 'fr' });
    const nonsense = await postJson(app, '/translate', { ...good, source: 'zz' });
    expect(french).toMatchObject({
      status: 503,
      body: { code: 'MODEL_LOAD_FAILED', model: 'fr-en', retryable: false },
    });
    expect(nonsense).toMatchObject({ status: 400, body: { error: 'zz is not supported' } });
  });

  it('detection without a detector is 503', async () => {
    const catalog = createFakeCatalog([translationManifest('m', 'en>es')]);
    const answer = await postJson(createTestApp({ catalog }).app, '/translate', { ...good, source: 'auto' });
    expect(answer).toMatchObject({ status: 503, body: { code: 'MODEL_MISSING', retryable: false } });
  });
});
