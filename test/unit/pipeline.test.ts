import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CannotFitError, MemoryShortError, ModelLoadFailedError, QueueFullError } from '../../shared/host/errors.ts';
import { InferenceFailedError, WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { createFakeHost, type FakeHostOptions, untilGivenUp } from '../support/fake-host.ts';
import { createTestApp, postJson, read } from '../support/inference-app.ts';

const id = { 'x-request-id': 'r-1' };
const timestamp = '2026-01-02T03:04:05.678Z';
const metadata = { request_id: 'r-1', timestamp, version: '1.2.3', process_time: 0 };
const translate = '/pipeline/translate';
const batch = '/pipeline/translate/batch';
const good = { text: 'the rent', source_language: 'en', target_language: 'es' };

function post(path: string, body: unknown, options: Parameters<typeof createTestApp>[0] = {}) {
  return postJson(createTestApp(options).app, path, body, id);
}

describe('POST /pipeline/translate', () => {
  it('answers in the envelope', async () => {
    const { status, headers, body } = await post(translate, good);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual({
      status: 'success',
      message: 'Text translated',
      data: {
        source_text: 'the rent',
        translated_text: 'THE RENT',
        source_language: 'en',
        target_language: 'es',
        confidence: 0.5,
        model_id: 'translate-en-es',
        model_used: 'translate-en-es',
        word_count: 2,
        character_count: 8,
        detected_language: null,
        verified: false,
        verification_score: null,
        process_time: 0,
        used_fallback: false,
        fallback_model: null,
        primary_model: 'translate-en-es',
      },
      metadata: { ...metadata, model_used: 'translate-en-es' },
    });
  });

  it.each([undefined, null, 'auto', ''])('detects the source where it is %j', async (source_language) => {
    const { body } = await post(translate, { text: 'hola', source_language, target_language: 'en' });
    expect(body['data']).toMatchObject({ source_language: 'es', detected_language: 'es', translated_text: 'HOLA' });
  });

  it('counts characters and words as people do', async () => {
    const { body } = await post(translate, { ...good, text: ' a  😀 b ' });
    expect(body['data']).toMatchObject({ character_count: 8, word_count: 3 });
  });

  it('takes the model that is named', async () => {
    const { app, host } = createTestApp();
    const { body } = await postJson(app, translate, { ...good, model_name: 'translate-en-es' });
    expect(body['data']).toMatchObject({ model_used: 'translate-en-es' });
    expect(host.runs.map(({ model }) => model)).toEqual(['translate-en-es']);
  });

  it('names what it cannot honour', async () => {
    const options = { verify: true, domain: 'legal', glossary_id: 'g', formality: 'formal', preserve_formatting: true };
    const { body } = await post(translate, { ...good, ...options });
    expect(body['data']).toMatchObject({ verified: false, verification_score: null });
    expect(body['metadata']).toMatchObject({ ignored: ['domain', 'glossary_id', 'formality', 'verify'] });
  });

  it('does not name what was not asked for', async () => {
    const { body } = await post(translate, { ...good, verify: false, domain: null, formality: '' });
    expect(body['metadata']).not.toHaveProperty('ignored');
  });

  it('tells how long it took, in seconds', async () => {
    let now = 0;
    const clock = { now: () => now };
    const beforeRun = async () => {
      now += 250;
    };
    const { body } = await post(translate, good, { clock, host: createFakeHost({ beforeRun }) });
    expect(body).toMatchObject({ data: { process_time: 0.25 }, metadata: { process_time: 0.25 } });
  });
});

describe('POST /pipeline/translate/batch', () => {
  it('answers each text, in order', async () => {
    const { status, body } = await post(batch, { texts: ['the rent', 'hola'], target_language: 'es' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'success',
      message: 'Texts translated',
      data: {
        translations: [
          { source_text: 'the rent', translated_text: 'THE RENT', source_language: 'en', confidence: 0.5 },
          { source_text: 'hola', translated_text: 'hola', source_language: 'es', confidence: null, model_used: null },
        ],
      },
      metadata: { ...metadata, model_used: 'translate-en-es' },
    });
  });
});

describe.each(['/pipeline/detect', '/pipeline/detect-language'])('POST %s', (path) => {
  it('tells the language, with confidence from 0 to 1', async () => {
    expect((await post(path, { text: 'hola' })).body).toEqual({
      status: 'success',
      message: 'Language detected',
      data: { text: 'hola', detected_language: 'es', confidence: 0.9 },
      metadata: { ...metadata, model_used: 'language-detection' },
    });
  });

  it('adds the other candidates when details are wanted', async () => {
    const { body } = await post(path, { text: 'hola', detailed: true, model_id: 'language-detection' });
    expect(body['data']).toMatchObject({ alternatives: [{ language: 'en', confidence: 0.1 }] });
  });
});

describe('a failure', () => {
  it('comes in the envelope too', async () => {
    const { status, headers, body } = await post(translate, { ...good, target_language: 'zz' });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual({
      status: 'error',
      message: 'zz is not supported',
      error: { code: 'INVALID_LANGUAGE', details: { reason: 'UNSUPPORTED_LANGUAGE', retryable: false } },
      metadata: { request_id: 'r-1', timestamp },
    });
  });

  const limits = { textCharacters: 5, batchTexts: 2, batchCharacters: 8 };
  it.each<[string, string, unknown, number, string]>([
    ['no text', translate, { ...good, text: undefined }, 400, 'EMPTY_TEXT'],
    ['an empty text', translate, { ...good, text: '' }, 400, 'EMPTY_TEXT'],
    ['only whitespace', translate, { ...good, text: ' \n' }, 400, 'EMPTY_TEXT'],
    ['no texts', batch, { target_language: 'es' }, 400, 'EMPTY_TEXT'],
    ['an empty text among others', batch, { texts: ['a', ''], target_language: 'es' }, 400, 'EMPTY_TEXT'],
    ['nothing to detect', '/pipeline/detect', {}, 400, 'EMPTY_TEXT'],
    ['nothing to tell a language by', '/pipeline/detect', { text: '123' }, 400, 'TEXT_TOO_SHORT'],
    ['too long a text', translate, { ...good, text: 'abcdef' }, 400, 'TEXT_TOO_LONG'],
    ['too long a text to detect', '/pipeline/detect', { text: 'abcdef' }, 400, 'TEXT_TOO_LONG'],
    ['too many texts', batch, { texts: ['a', 'b', 'c'], target_language: 'es' }, 400, 'TEXT_TOO_LONG'],
    ['too much text', batch, { texts: ['abcde', 'abcde'], target_language: 'es' }, 400, 'TEXT_TOO_LONG'],
    ['no target', translate, { text: 'a' }, 400, 'MISSING_TARGET_LANGUAGE'],
    ['no target of a batch', batch, { texts: ['a'] }, 400, 'MISSING_TARGET_LANGUAGE'],
    ['an unknown source', translate, { ...good, text: 'a', source_language: 'zz' }, 400, 'INVALID_LANGUAGE'],
    ['an unknown model', translate, { ...good, text: 'a', model_name: 'nllb' }, 404, 'UNKNOWN_MODEL'],
    ['an unknown detector', '/pipeline/detect', { text: 'a', model_id: 'nllb' }, 404, 'UNKNOWN_MODEL'],
    [
      'a model of other languages',
      translate,
      { ...good, text: 'a', model_name: 'translate-es-en' },
      400,
      'INVALID_LANGUAGE',
    ],
    [
      'a model of another task',
      translate,
      { ...good, text: 'a', model_name: 'language-detection' },
      400,
      'BAD_REQUEST',
    ],
    ['a detector that is none', '/pipeline/detect', { text: 'a', model_id: 'translate-en-es' }, 400, 'BAD_REQUEST'],
    ['text that is a number', translate, { ...good, text: 7 }, 400, 'BAD_REQUEST'],
    ['texts that are a text', batch, { texts: 'a', target_language: 'es' }, 400, 'BAD_REQUEST'],
    ['details that are a text', '/pipeline/detect', { text: 'a', detailed: 'yes' }, 400, 'BAD_REQUEST'],
    ['a body that is an array', translate, [], 400, 'BAD_REQUEST'],
  ])('for %s', async (_, path, request, status, code) => {
    const answer = await post(path, request, { limits });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.body).toMatchObject({ status: 'error', error: { code }, metadata: { request_id: 'r-1' } });
  });

  it('names the field that is wrong, not what is in it', async () => {
    const { body } = await post(batch, { texts: ['a', { secret: 'letter' }], target_language: 'es' });
    expect(body['message']).toBe('texts.1 is not a text');
  });

  it('for a body that is no JSON', async () => {
    const { app } = createTestApp();
    const answer = await read(await app.request(translate, { method: 'POST', body: '{"text": "secret' }));
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST' } } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it.each([
    ['/pipeline', 'GET', 404, 'NOT_FOUND'],
    ['/pipeline/nowhere', 'POST', 404, 'NOT_FOUND'],
    [translate, 'GET', 405, 'METHOD_NOT_ALLOWED'],
  ])('at %s with %s is %i', async (path, method, status, code) => {
    const answer = await read(await createTestApp().app.request(path, { method }));
    expect(answer).toMatchObject({ status, body: { status: 'error', error: { code } } });
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  it('for a body over the limit is 413', async () => {
    const answer = await post(translate, { ...good, text: 'a'.repeat(100) }, { limits: { bodyBytes: 50 } });
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } });
  });
});

describe('a failure of the model', () => {
  // Only the deadline's timer: it goes off when a test says so.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const failing = (options: FakeHostOptions, path = translate) =>
    post(path, { ...good }, { host: createFakeHost(options) });

  it.each([
    [translate, 'TRANSLATION_FAILED'],
    ['/pipeline/detect', 'DETECTION_FAILED'],
  ])('in the run at %s is %s', async (path, code) => {
    const beforeRun = () => Promise.reject(new InferenceFailedError('the engine refused'));
    expect(await failing({ beforeRun }, path)).toMatchObject({
      status: 500,
      body: { message: 'the engine refused', error: { code, details: { reason: 'INFERENCE_FAILED' } } },
    });
  });

  it('that a retry may mend says so', async () => {
    const beforeRun = () => Promise.reject(new WorkerCrashedError('the worker died'));
    expect(await failing({ beforeRun })).toMatchObject({
      status: 500,
      body: { error: { details: { retryable: true } } },
    });
  });

  it('that nobody expected tells nothing', async () => {
    const { status, body } = await failing({ beforeRun: () => Promise.reject(new Error('secret')) });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('to load is 503 with its cause', async () => {
    const failure = new ModelLoadFailedError('a file is damaged', { retryable: false, model: 'translate-en-es' });
    const { status, headers, body } = await failing({ beforeLease: () => Promise.reject(failure) });
    expect(status).toBe(503);
    expect(headers.has('retry-after')).toBe(false);
    expect(body).toMatchObject({
      message: 'a file is damaged',
      error: {
        code: 'MODEL_UNAVAILABLE',
        details: { reason: 'MODEL_LOAD_FAILED', model: 'translate-en-es', retryable: false },
      },
    });
  });

  it.each([
    [new QueueFullError('too many models wait', { retryAfterSeconds: 9 }), 429, 'QUEUE_FULL', '9'],
    [new CannotFitError('it needs 9000 MB'), 507, 'CANNOT_FIT', null],
    [new MemoryShortError('other models are in use'), 503, 'MODEL_UNAVAILABLE', '2'],
  ])('to find room, %s, is %i', async (failure, status, code, retryAfter) => {
    const answer = await failing({ beforeLease: () => Promise.reject(failure) });
    expect(answer).toMatchObject({ status, body: { message: failure.message, error: { code } } });
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
  });

  it('to finish in time is 504', async () => {
    const beforeRun: FakeHostOptions['beforeRun'] = (_input, signal) => {
      vi.advanceTimersByTime(1000);
      return untilGivenUp(signal);
    };
    const { app } = createTestApp({ host: createFakeHost({ beforeRun }) });
    const answer = await postJson(app, translate, good, { prefer: 'wait=1' });
    expect(answer).toMatchObject({
      status: 504,
      body: { error: { code: 'DEADLINE_EXCEEDED', details: { progress: 0 } } },
    });
  });
});
