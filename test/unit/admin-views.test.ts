import { describe, expect, it } from 'vitest';
import { wishKey } from '../../shared/fleet/wishes/wish-record.ts';
import { ManifestInvalidError } from '../../shared/repository/errors.ts';
import { type ControlStage, type ControlStageOptions, createTestControl } from '../support/control-app.ts';
import {
  createFakeCatalog,
  detectionManifest,
  shippedManifests,
  translationManifest,
} from '../support/fake-catalog.ts';
import { fleetOf, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { read, testNow } from '../support/inference-app.ts';

const model = 'translate-en-es';
const timestamp = '2026-01-02T03:04:05.678Z';

type Body = Record<string, unknown> & { readonly models: readonly Record<string, unknown>[] };

const get = async ({ app }: Pick<ControlStage, 'app'>, path: string) => {
  const { status, body } = await read(await app.request(path));
  return { status, body: body as Body };
};
const wish = ({ app }: Pick<ControlStage, 'app'>, action: string, body: object = {}) =>
  app.request(`/admin/models/${model}/${action}`, { method: 'POST', body: JSON.stringify(body) });

/** Two instances, of which one has done what was wished second. */
const fleet = fleetOf(
  snapshotOf({ id: 'a', wishes: new Map([[model, 2]]), models: [modelStatus({ version: '1', memoryMb: 200 })] }),
  snapshotOf({
    id: 'b',
    wishes: new Map([[model, 1]]),
    models: [
      modelStatus({
        version: '0.9',
        state: 'FAILED',
        memoryMb: 0,
        startedAt: testNow,
        nextTryAt: testNow + 1_000,
        error: { code: 'LOAD_TIMEOUT', message: 'it took too long', retryable: true },
      }),
    ],
  }),
);

function stage(options: ControlStageOptions = {}) {
  const published = [...shippedManifests, { ...translationManifest(model, 'en>es'), version: '2' }];
  return createTestControl({ fleet, published, alwaysLoaded: [model], preloadModels: [model], ...options });
}

describe('GET /admin/models', () => {
  it('has every model with what is active, known, wanted and held of it', async () => {
    const control = stage({ pins: new Map([[model, { version: '0.5', hard: false }]]) });
    await control.app.request(`/admin/models/${model}/activate`, {
      method: 'POST',
      body: JSON.stringify({ version: '1' }),
    });
    await wish(control, 'load');
    await wish(control, 'pin', { for: '1h' });

    const { status, body } = await get(control, '/admin/models');

    expect(status).toBe(200);
    expect(body).toMatchObject({ timestamp, reasons: [] });
    expect(body.models.map(({ id }) => id)).toEqual(['language-detection', model, 'translate-es-en']);
    expect(body.models[1]).toEqual({
      id: model,
      task: 'translation',
      active: { version: '1', seq: 1, by: 'anonymous', at: timestamp, previous: null },
      versions: ['0.5', '0.9', '1'],
      version_pin: { version: '0.5', hard: false },
      always_loaded: true,
      preload: true,
      status: 'READY',
      ready: true,
      loading_progress: 1,
      states: { READY: 1, FAILED: 1 },
      memory: { resident_mb: 1, peak_mb: 1 },
      memory_mb: 200,
      wish: {
        want: 'pinned',
        seq: 2,
        by: 'anonymous',
        at: timestamp,
        until: '2026-01-02T04:04:05.678Z',
        is_over: false,
        carried_out: 1,
        instances: 2,
      },
    });
    expect(body.models[0]).toMatchObject({
      active: { version: '1', seq: null, by: null, at: null, previous: null },
      version_pin: null,
      always_loaded: false,
      preload: false,
      status: 'UNLOADED',
      wish: null,
    });
  });

  it('has those that cannot be served, too, and says why', async () => {
    const catalog = createFakeCatalog([], { damaged: new ManifestInvalidError('the manifest is not JSON') });
    const { body } = await get(stage({ catalog, fleet: fleetOf() }), '/admin/models');
    expect(body).toMatchObject({
      models: [{ id: 'damaged', task: null, active: null, memory: null }],
      reasons: ['model damaged: the manifest is not JSON'],
    });
  });

  it('calls a wish over when its time is', async () => {
    const control = stage();
    await wish(control, 'pin');
    const changes = [{ kind: 'set', path: ['until'], value: testNow } as const];
    control.table.apply({ name: '', key: wishKey(model), condition: undefined, changes });
    expect((await get(control, '/admin/models')).body.models[1]).toMatchObject({ wish: { is_over: true } });
  });

  it('shows what it can while the store is away, and says what it cannot', async () => {
    const control = stage();
    control.become('away');
    expect((await get(control, '/admin/models')).body).toMatchObject({
      models: [{}, { id: model, wish: null, active: { version: '1', seq: null } }, {}],
      reasons: [
        'what operators wish cannot be read: the store did not answer in time',
        'the active versions cannot be read: the store did not answer in time',
      ],
    });
  });
});

describe('GET /admin/models, over a store with a fault of our own', () => {
  it('fails, and tells nothing of it', async () => {
    const control = stage();
    control.become('broken');
    const { status, body } = await get(control, '/admin/models');
    expect({ status, code: body['code'] }).toEqual({ status: 500, code: 'INTERNAL_ERROR' });
    expect(JSON.stringify(body)).not.toContain('a secret');
  });
});

describe('GET /admin/models/{id}', () => {
  it('has all published versions, what its manifest says, and each instance', async () => {
    const control = stage();
    await wish(control, 'load');
    await wish(control, 'pin');

    const { status, body } = await get(control, `/admin/models/${model}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: model,
      timestamp,
      reasons: [],
      versions: ['0.9', '1', '2'],
      manifest: {
        version: '1',
        engine: 'onnxruntime-web',
        licence: 'Apache-2.0',
        source: 'made for a test',
        fallback: null,
        bytes: 0,
        files: 0,
        pairs: [{ source: 'en', target: 'es' }],
        languages: null,
      },
      instances: [
        { instance: 'a', version: '1', state: 'READY', wish_seq: 2, wish_carried_out: true },
        { instance: 'b', version: '0.9', state: 'FAILED', wish_seq: 1, wish_carried_out: false },
      ],
      last_error: {
        instance: 'b',
        version: '0.9',
        code: 'LOAD_TIMEOUT',
        message: 'it took too long',
        retryable: true,
        next_try_at: '2026-01-02T03:04:06.678Z',
      },
    });
  });

  it.each(['nobody-knows', '%C3%84%20text'])('does not know %s', async (id) => {
    const { status, body } = await get(stage(), `/admin/models/${id}`);
    expect({ status, code: body['code'] }).toEqual({ status: 404, code: 'UNKNOWN_MODEL' });
  });
});

describe('GET /admin/languages', () => {
  it('tells which model translates what, and whether it is READY', async () => {
    const { body } = await get(stage(), '/admin/languages');
    expect(body).toMatchObject({
      languages: [
        {
          code: 'en',
          name: 'English',
          targets: [{ code: 'es', name: 'Spanish', model, version: '1', ready: true }],
        },
        { code: 'es', targets: [{ code: 'en', model: 'translate-es-en', ready: false }] },
      ],
      detection: [
        { model: 'language-detection', version: '1', ready: false, languages: detectionManifest.languages.length },
      ],
    });
  });
});
