import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { ManifestInvalidError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { type ControlStageOptions, createTestControl } from '../support/control-app.ts';
import { createFakeCatalog, shippedManifests } from '../support/fake-catalog.ts';
import { emptyDigest, fleetOf, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { read, testNow } from '../support/inference-app.ts';

const timestamp = '2026-01-02T03:04:05.678Z';

function ask(path: string, asked: ControlStageOptions = {}) {
  return Promise.resolve(createTestControl({ digest: emptyDigest, ...asked }).app.request(path)).then(read);
}

const away: Catalog = {
  ...createFakeCatalog([]),
  models: () => Promise.reject(new StoreUnavailableError('the store did not answer in time')),
};

describe('the control app', () => {
  it('is healthy as LibreTranslate is, whatever the store does', async () => {
    expect(await ask('/health', { catalog: away })).toMatchObject({
      status: 200,
      body: { status: 'ok', timestamp, version: '1.2.3' },
    });
  });

  it('is alive', async () => {
    expect(await ask('/liveness', { catalog: away })).toMatchObject({
      status: 200,
      body: { status: 'alive', timestamp },
    });
  });

  it('is ready when there are models to serve', async () => {
    const models = ['language-detection', 'translate-en-es', 'translate-es-en'];
    const { status, body } = await ask('/readiness');
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ready', models, reasons: [], store: 'reachable', breakers: [], timestamp });
  });

  it('is ready while DynamoDB is away or a breaker is open, and says so', async () => {
    const breaker = { name: 'translate m@1', state: 'OPEN', since: testNow, failures: 5 } as const;
    const fleet = fleetOf(snapshotOf({ breakers: [breaker, { ...breaker, name: 'S3', state: 'CLOSED' }] }));
    const digest = async () => ({ known: undefined, failure: 'the store did not answer in time' });

    expect(await ask('/readiness', { fleet, digest })).toMatchObject({
      status: 200,
      body: {
        status: 'ready',
        store: 'unreachable',
        breakers: ['translate m@1'],
        reasons: ["the fleet's breakers cannot be read: the store did not answer in time"],
      },
    });
  });

  it('names the breakers that are open for the whole fleet, and no others', async () => {
    const forced = { at: testNow, by: 'alice', why: 'a test', until: testNow + 1_000 };
    const known = {
      e_closed: 1,
      e_open: 1,
      b_open: { st: 'OPEN', om: 1, at: testNow, pn: 0, ps: 0 },
      e_shut: 1,
      b_shut: { st: 'FORCED_OPEN', ...forced },
      e_kept: 1,
      b_kept: { st: 'FORCED_CLOSED', ...forced },
    };
    const digest = async () => ({ known, failure: undefined });
    expect(await ask('/readiness', { digest })).toMatchObject({ status: 200, body: { breakers: ['open', 'shut'] } });
  });

  it('is ready with what it has, and says what is missing', async () => {
    const catalog = createFakeCatalog(shippedManifests, {
      'translate-fr-en': new ManifestInvalidError('the manifest is not JSON'),
    });
    expect(await ask('/readiness', { catalog })).toMatchObject({
      status: 200,
      body: { status: 'ready', reasons: ['model translate-fr-en: the manifest is not JSON'] },
    });
  });

  it.each([
    ['nothing is published', createFakeCatalog([]), 'no model is published'],
    ['the store is away', away, 'the catalog of models cannot be read: the store did not answer in time'],
    [
      'no manifest can be read',
      createFakeCatalog([], { m: new ManifestInvalidError('the manifest is not JSON') }),
      'model m: the manifest is not JSON',
    ],
  ])('is not ready when %s, and says so', async (_, catalog, reason) => {
    expect(await ask('/readiness', { catalog })).toMatchObject({
      status: 503,
      body: { status: 'not ready', models: [], reasons: [reason] },
    });
  });

  it('has nothing else', async () => {
    expect(await ask('/translate')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('readiness, where a model is to be preloaded,', () => {
  const preloadModels = ['translate-en-es'];
  const loading = modelStatus({ state: 'DOWNLOADING', progress: 0.429 });

  it('is there as soon as one instance has it READY, in whatever version', async () => {
    const older = snapshotOf({ id: 'older', models: [modelStatus({ version: '0' })] });
    const fleet = fleetOf(snapshotOf({ id: 'newer', models: [loading] }), older);
    expect(await ask('/readiness', { fleet, preloadModels })).toMatchObject({ status: 200, body: { reasons: [] } });
  });

  it.each([
    ['only loads', [loading], 'is not READY on any instance: DOWNLOADING, 42 %'],
    ['nobody has touched it', [], 'is not READY on any instance: UNLOADED, 0 %'],
  ])('is not there while it %s, and says how far it is', async (_, models, why) => {
    const fleet = fleetOf(snapshotOf({ models }));
    expect(await ask('/readiness', { fleet, preloadModels })).toMatchObject({
      status: 503,
      body: { status: 'not ready', reasons: [`model translate-en-es, which is to be preloaded, ${why}`] },
    });
  });

  it('awaits every model of the catalog under eager', async () => {
    const answer = await ask('/readiness', { fleet: fleetOf(snapshotOf({})), preloadModels: 'all' });

    expect(answer.status).toBe(503);
    expect(answer.body['reasons']).toHaveLength(shippedManifests.length);
  });

  it('is not there when the model is not published', async () => {
    const answer = await ask('/readiness', { fleet: fleetOf(snapshotOf({})), preloadModels: ['nobody-knows'] });
    expect(answer).toMatchObject({
      status: 503,
      body: { reasons: ['model nobody-knows, which is to be preloaded, is not published'] },
    });
  });

  it('does not wait for models that nobody wants preloaded', async () => {
    expect(await ask('/readiness', { fleet: fleetOf(snapshotOf({ models: [loading] })) })).toMatchObject({
      status: 200,
    });
  });

  it('is there where no instance lives: the next request starts one', async () => {
    expect(await ask('/readiness', { preloadModels })).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('is there where a load is frozen with its instance: only a request makes it go on', async () => {
    const fleet = { instances: [{ snapshot: snapshotOf({ models: [loading] }), stale: true }], reasons: [] };
    expect(await ask('/readiness', { fleet, preloadModels })).toMatchObject({ status: 200, body: { reasons: [] } });
  });

  it('is there while an idle instance has it and another loads it', async () => {
    const idle = { snapshot: snapshotOf({ id: 'idle', models: [modelStatus()] }), stale: true };
    const awake = { snapshot: snapshotOf({ id: 'awake', models: [loading] }), stale: false };
    const fleet = { instances: [awake, idle], reasons: [] };
    expect(await ask('/readiness', { fleet, preloadModels })).toMatchObject({ status: 200 });
  });

  it('does not depend on the store of the snapshots, and says that it is away', async () => {
    const fleet = { instances: [], reasons: ['the snapshots of the instances cannot be read: DynamoDB is away'] };
    expect(await ask('/readiness', { fleet, preloadModels })).toMatchObject({
      status: 200,
      body: { reasons: fleet.reasons },
    });
  });
});
