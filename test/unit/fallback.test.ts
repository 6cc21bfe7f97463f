import { describe, expect, it } from 'vitest';
import { BreakerOpenError } from '../../shared/breaker/errors.ts';
import {
  CannotFitError,
  MemoryShortError,
  ModelDrainingError,
  ModelLoadFailedError,
  ModelLoadingError,
  QueueFullError,
} from '../../shared/host/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { InferenceFailedError } from '../../shared/runtime/errors.ts';
import { createFakeCatalog, detectionManifest, translationManifest } from '../support/fake-catalog.ts';
import { createFakeHost } from '../support/fake-host.ts';
import { createTestApp, postJson } from '../support/inference-app.ts';

const failure = new InferenceFailedError('the engine failed');
const primary = { ...translationManifest('big', 'en>es'), fallback: 'small' };
const small = translationManifest('small', 'en>es');
const detector = { ...detectionManifest, id: 'detector', fallback: 'other-detector' };
const otherDetector = { ...detectionManifest, id: 'other-detector' };

type Faults = Record<string, { lease?: unknown; run?: unknown }>;

/** The app over these models; `faults` say, by id, how they fail from now on. */
function stage(
  manifests: readonly Manifest[],
  options: { fallbacks?: Readonly<Record<string, string>>; breaker?: { failureThreshold: number } } = {},
) {
  const faults: Faults = {};
  const tried: string[] = [];
  const host = createFakeHost({
    beforeLease: async ({ id }) => {
      tried.push(id);
      if (faults[id]?.lease !== undefined) throw faults[id].lease;
    },
    beforeRun: async (_input, _signal, id) => {
      if (faults[id]?.run !== undefined) throw faults[id].run;
    },
  });
  const catalog = createFakeCatalog(manifests);
  const { app, lines } = createTestApp({ host, catalog, breaker: { failureThreshold: 1 }, ...options });
  const pipeline = (body: object = {}) =>
    postJson(app, '/pipeline/translate', { text: 'hello', source_language: 'en', target_language: 'es', ...body });
  return { app, faults, tried, pipeline, logged: () => lines.map((line) => JSON.parse(line)) };
}

/** The same, and the breaker of `id` is open. */
async function opened(id: string, ...[manifests, options]: Parameters<typeof stage>) {
  const staged = stage(manifests, options);
  staged.faults[id] = { run: failure };
  const path = id.includes('detector') ? '/detect' : '/translate';
  expect((await postJson(staged.app, path, { q: 'hello', source: 'en', target: 'es' })).status).toBe(500);
  staged.faults[id] = {};
  staged.tried.length = 0;
  return staged;
}

describe('a model whose breaker is open', () => {
  it('is stood in for by its fallback, which the answer names', async () => {
    const { pipeline, tried, logged } = await opened('big', [primary, small]);

    const { status, headers, body } = await pipeline();

    expect(status).toBe(200);
    expect(body['data']).toMatchObject({
      translated_text: 'HELLO',
      model_id: 'small',
      model_used: 'small',
      used_fallback: true,
      fallback_model: 'small',
      primary_model: 'big',
    });
    expect(body['metadata']).toMatchObject({ model_used: 'small' });
    expect(headers.get('x-fallback-model')).toBe('small');
    expect(tried).toEqual(['small']);
    const told = logged().filter(({ event }) => event === 'model.fallback');
    expect(told).toMatchObject([{ level: 'info', primary: 'big', model: 'small' }]);
    expect(JSON.stringify(told)).not.toContain('hello');
  });

  it('is stood in for where a caller named it, too', async () => {
    const { pipeline } = await opened('big', [primary, small]);

    expect((await pipeline({ model_name: 'big' })).body['data']).toMatchObject({ used_fallback: true });
  });

  it('is stood in for on LibreTranslate’s surface without a new member: a header tells', async () => {
    const { app } = await opened('big', [primary, small]);

    const { headers, body } = await postJson(app, '/translate', { q: 'hello', source: 'en', target: 'es' });

    expect(body).toEqual({ translatedText: 'HELLO' });
    expect(headers.get('x-fallback-model')).toBe('small');
  });

  it('is told of for each text of a batch by itself', async () => {
    const back = translationManifest('back', 'es>en');
    const third = translationManifest('third', 'fr>es');
    const { app, tried } = await opened('big', [detectionManifest, primary, small, back, third]);

    const { headers, body } = await postJson(app, '/pipeline/translate/batch', {
      texts: ['hello', 'hola', '1'],
      target_language: 'es',
    });

    expect(body['data']).toMatchObject({
      translations: [
        { model_used: 'small', used_fallback: true, fallback_model: 'small', primary_model: 'big' },
        { model_used: null, used_fallback: false, fallback_model: null, primary_model: null },
        {},
      ],
    });
    expect(body['metadata']).toMatchObject({ model_used: 'small' });
    expect(headers.get('x-fallback-model')).toBe('small');
    expect(tried).toEqual(['language-detection', 'small']);
  });

  it('that detects languages is stood in for alike, also where a source is to be found', async () => {
    const { app } = await opened('detector', [detector, otherDetector, translationManifest('big', 'en>es', 'es>en')]);

    const detected = await postJson(app, '/pipeline/detect', { text: 'hola' });
    const libre = await postJson(app, '/detect', { q: 'hola' });
    const auto = await postJson(app, '/translate', { q: 'hola', source: 'auto', target: 'en' });

    expect(detected.body['metadata']).toMatchObject({ model_used: 'other-detector' });
    expect([detected, libre, auto].map(({ headers }) => headers.get('x-fallback-model'))).toEqual(
      Array(3).fill('other-detector'),
    );
    expect(auto.body).toMatchObject({ translatedText: 'HOLA', detectedLanguage: { language: 'es' } });
  });

  it('has the fallback that the deployment names in place of its own', async () => {
    const other = translationManifest('other', 'en>es');
    const { pipeline } = await opened('big', [primary, small, other], { fallbacks: { big: 'other' } });

    expect((await pipeline()).body['data']).toMatchObject({ fallback_model: 'other' });
  });

  it('has a fallback where the deployment alone names one', async () => {
    const { pipeline } = await opened('big', [translationManifest('big', 'en>es'), small], {
      fallbacks: { big: 'small' },
    });

    expect((await pipeline()).body['data']).toMatchObject({ fallback_model: 'small' });
  });
});

describe('the refusal is the model’s own', () => {
  const refused = { status: 503, body: { error: { details: { reason: 'BREAKER_OPEN', model: 'big@1' } } } };

  it.each<[string, readonly Manifest[]]>([
    ['without a fallback', [translationManifest('big', 'en>es')]],
    ['where the fallback is not in the catalog', [primary]],
    ['where it does another task', [primary, { ...detectionManifest, id: 'small' }]],
    ['where it lacks the direction', [primary, translationManifest('small', 'es>en', 'en>fr', 'fr>es')]],
  ])('%s', async (_, manifests) => {
    const { pipeline, tried } = await opened('big', manifests);

    const answer = await pipeline();

    expect(answer).toMatchObject(refused);
    expect(answer.headers.has('x-fallback-model')).toBe(false);
    expect(tried).toEqual([]);
  });

  it.each([
    new ModelLoadFailedError('no', { retryable: true }),
    new QueueFullError('no'),
    new CannotFitError('no'),
    new MemoryShortError('no'),
    new ModelDrainingError('no'),
    new BreakerOpenError('no', { model: 'small@1' }),
  ])('where it cannot be had: %s', async (lease) => {
    const { faults, pipeline, tried } = await opened('big', [primary, small]);
    faults['small'] = { lease };

    const answer = await pipeline();

    expect(answer).toMatchObject(refused);
    expect(answer.headers.get('retry-after')).toBe('300');
    expect(tried).toEqual(['small']);
  });

  it('where its breaker is open as well: nobody follows the fallback’s own fallback', async () => {
    const chained = { ...small, fallback: 'third' };
    const third = translationManifest('third', 'en>es');
    const { faults, pipeline, tried } = await opened('big', [primary, chained, third]);
    faults['small'] = { run: failure };
    expect((await pipeline()).status).toBe(500);
    tried.length = 0;

    expect(await pipeline()).toMatchObject(refused);
    expect(tried).toEqual([]);
  });

  it('where two name each other and both are open', async () => {
    const { faults, pipeline, tried } = await opened('big', [primary, { ...small, fallback: 'big' }]);
    faults['small'] = { run: failure };
    await pipeline();
    tried.length = 0;

    expect(await pipeline()).toMatchObject(refused);
    expect(tried).toEqual([]);
  });
});

describe('a fallback', () => {
  it('is not asked for any other failure', async () => {
    const { faults, pipeline, tried } = stage([primary, small], { breaker: { failureThreshold: 100 } });
    for (const lease of [new ModelLoadFailedError('no', { retryable: true }), new ModelLoadingError('no')]) {
      faults['big'] = { lease };
      expect((await pipeline()).status).toBe(503);
    }
    faults['big'] = { run: failure };
    expect((await pipeline()).status).toBe(500);

    expect(new Set(tried)).toEqual(new Set(['big']));
  });

  it('that is loading says when it will be there', async () => {
    const { faults, pipeline } = await opened('big', [primary, small]);
    faults['small'] = { lease: new ModelLoadingError('no', { model: 'small', retryAfterSeconds: 3 }) };

    const answer = await pipeline();

    expect(answer).toMatchObject({ body: { error: { details: { reason: 'MODEL_LOADING', model: 'small' } } } });
    expect(answer.headers.get('retry-after')).toBe('3');
  });

  it('that fails in its run fails before a breaker of its own, as itself', async () => {
    const { faults, pipeline, logged } = await opened('big', [primary, small]);
    faults['small'] = { run: failure };

    expect(await pipeline()).toMatchObject({ status: 500, body: { message: 'the engine failed' } });

    const [told] = logged().filter(({ event }) => event === 'model.fallback');
    expect(told).toMatchObject({ primary: 'big', model: 'small', code: 'INFERENCE_FAILED' });
  });

  it('is the second choice for a direction, wherever its id stands', async () => {
    const first = translationManifest('aaa', 'en>es', 'en>fr');
    const named = { ...translationManifest('zzz', 'en>es'), fallback: 'aaa' };
    const { pipeline } = stage([first, named]);

    expect((await pipeline()).body['data']).toMatchObject({ model_used: 'zzz', used_fallback: false });
    expect((await pipeline({ target_language: 'fr' })).body['data']).toMatchObject({ model_used: 'aaa' });
  });

  it('is the second choice to detect a language', async () => {
    const { app } = stage([otherDetector, { ...detector, id: 'zzz' }]);

    const { body } = await postJson(app, '/pipeline/detect', { text: 'hola' });

    expect(body['metadata']).toMatchObject({ model_used: 'zzz' });
  });
});
