import { describe, expect, it } from 'vitest';
import { createApp } from '../../functions/control/app.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { ManifestInvalidError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createFakeCatalog, shippedManifests } from '../support/fake-catalog.ts';
import { read, testNow } from '../support/inference-app.ts';

const clock = { now: () => testNow };
const timestamp = '2026-01-02T03:04:05.678Z';

function ask(path: string, catalog: Catalog = createFakeCatalog(shippedManifests)) {
  const app = createApp({ catalog, log: createJsonLog(() => {}, clock), clock, version: '1.2.3' });
  return Promise.resolve(app.request(path)).then(read);
}

const away: Catalog = {
  ...createFakeCatalog([]),
  models: () => Promise.reject(new StoreUnavailableError('the store did not answer in time')),
};

describe('the control app', () => {
  it('is healthy as LibreTranslate is, whatever the store does', async () => {
    expect(await ask('/health', away)).toMatchObject({
      status: 200,
      body: { status: 'ok', timestamp, version: '1.2.3' },
    });
  });

  it('is alive', async () => {
    expect(await ask('/liveness', away)).toMatchObject({ status: 200, body: { status: 'alive', timestamp } });
  });

  it('is ready when there are models to serve', async () => {
    const models = ['language-detection', 'translate-en-es', 'translate-es-en'];
    const { status, body } = await ask('/readiness');
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'ready', models, reasons: [], timestamp });
  });

  it('is ready with what it has, and says what is missing', async () => {
    const catalog = createFakeCatalog(shippedManifests, {
      'translate-fr-en': new ManifestInvalidError('the manifest is not JSON'),
    });
    expect(await ask('/readiness', catalog)).toMatchObject({
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
    expect(await ask('/readiness', catalog)).toMatchObject({
      status: 503,
      body: { status: 'not ready', models: [], reasons: [reason] },
    });
  });

  it('has nothing else', async () => {
    expect(await ask('/translate')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});
