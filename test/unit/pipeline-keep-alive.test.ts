import { describe, expect, it } from 'vitest';
import { createTestApp, postJson } from '../support/inference-app.ts';

const options = { source_language: 'en', target_language: 'es' };
const requests: [string, Record<string, unknown>, string][] = [
  ['/pipeline/translate', { text: 'the rent', ...options }, 'translate-en-es'],
  ['/pipeline/translate/batch', { texts: ['the rent', 'hola'], ...options }, 'translate-en-es'],
  ['/pipeline/detect', { text: 'the rent' }, 'language-detection'],
  ['/pipeline/detect-language', { text: 'the rent' }, 'language-detection'],
];

describe.each(requests)('keep_alive at %s', (path, request, model) => {
  it('is passed to the lease of the model that works', async () => {
    const { app, host } = createTestApp();

    const { status, body } = await postJson(app, path, { ...request, keep_alive: '5m' });

    expect(status).toBe(200);
    expect(body['metadata']).not.toHaveProperty('ignored');
    expect(host.leases).toMatchObject([{ model, options: { keepAliveMs: 300_000 } }]);
  });

  it('is named as ignored where the configuration forbids it', async () => {
    const { app, host } = createTestApp({ keepAliveAllowed: false });

    const { status, body } = await postJson(app, path, { ...request, keep_alive: 0 });

    expect(status).toBe(200);
    expect(body['metadata']).toMatchObject({ ignored: ['keep_alive'] });
    expect(host.leases[0]?.options).not.toHaveProperty('keepAliveMs');
  });

  it('is not named where it was not given', async () => {
    const { app } = createTestApp({ keepAliveAllowed: false });
    const { body } = await postJson(app, path, { ...request, keep_alive: '' });
    expect(body['metadata']).not.toHaveProperty('ignored');
  });

  it('that cannot be understood is refused', async () => {
    const { status, body } = await postJson(createTestApp().app, path, { ...request, keep_alive: 'a while' });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      message:
        'keep_alive is not a number of seconds or a duration like "5m" or "1h30m" (0: unload after this request, negative: keep)',
      error: { code: 'BAD_REQUEST' },
    });
  });
});

it('keep_alive does not hold the model that only found the source', async () => {
  const { app, host } = createTestApp();

  await postJson(app, '/pipeline/translate', { text: 'hola', target_language: 'en', keep_alive: -1 });

  expect(host.leases.map(({ model, options }) => [model, options.keepAliveMs])).toEqual([
    ['language-detection', undefined],
    ['translate-es-en', -1000],
  ]);
});

describe('who waits for a model', () => {
  it('of a batch comes after those who wait for one answer', async () => {
    const { app, host } = createTestApp();

    await postJson(app, '/pipeline/translate/batch', { texts: ['hola', 'the rent'], target_language: 'es' });

    expect(host.leases.map(({ model, options }) => [model, options.priority])).toEqual([
      ['language-detection', 'batch'],
      ['translate-en-es', 'batch'],
    ]);
  });

  it('of one text is interactive', async () => {
    const { app, host } = createTestApp();
    await postJson(app, '/pipeline/translate', { text: 'the rent', ...options });
    expect(host.leases[0]?.options.priority).toBe('interactive');
  });
});
