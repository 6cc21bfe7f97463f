import { describe, expect, it } from 'vitest';
import { createTestApp, postForm, postJson } from '../support/inference-app.ts';

const good = { q: 'Hello', source: 'en', target: 'es' };
const minute = 60_000;

describe('keep_alive', () => {
  it.each([
    ['a number of seconds', 90, 90_000],
    ['a part of a second', 0.0001, 1],
    ['minutes', '5m', 5 * minute],
    ['hours and minutes', '1h30m', 90 * minute],
    ['with spaces', ' 1h 30m ', 90 * minute],
    ['milliseconds', '300ms', 300],
    ['less than one of them', '100us', 1],
    ['a fraction', '1.5h', 90 * minute],
    ['seconds without a unit', '90', 90_000],
    ['over a day', '48h', 48 * 60 * minute],
    ['zero', 0, 0],
    ['zero in a text', '0', 0],
    ['zero with a unit', '0s', 0],
    ['for ever', -1, -1000],
    ['for ever in a text', '-1', -1000],
    ['for ever with a unit', '-5m', -5 * minute],
  ])('is %s: %j', async (_, keep_alive, keepAliveMs) => {
    const { app, host } = createTestApp();

    const { status } = await postJson(app, '/translate', { ...good, keep_alive });

    expect(status).toBe(200);
    expect(host.leases).toMatchObject([{ model: 'translate-en-es', options: { keepAliveMs } }]);
  });

  it.each([undefined, null, '', '  '])('is absent when it is %j', async (keep_alive) => {
    const { app, host } = createTestApp();

    await postJson(app, '/translate', { ...good, keep_alive });

    expect(host.leases[0]?.options).not.toHaveProperty('keepAliveMs');
  });

  it.each(['soon', '5 parsecs', 'x5m', '5m!', '5.m', '--1', '1e3', '5m-3s', true, {}])(
    'cannot be %j, and the answer says what it can be',
    async (keep_alive) => {
      const { app, host } = createTestApp();

      const { status, body } = await postJson(app, '/translate', { ...good, keep_alive });

      expect(status).toBe(400);
      expect(body['error']).toBe(
        'Invalid request: keep_alive parameter is not a number of seconds or a duration like "5m" or "1h30m" (0: unload after this request, negative: keep)',
      );
      expect(host.leases).toEqual([]);
    },
  );

  it('comes in a form too', async () => {
    const { app, host } = createTestApp();
    await postForm(app, '/translate', { ...good, keep_alive: '5m' });
    expect(host.leases[0]?.options.keepAliveMs).toBe(5 * minute);
  });

  it('keeps the model that translates, not the one that found the language', async () => {
    const { app, host } = createTestApp();

    await postJson(app, '/translate', { ...good, source: 'auto', keep_alive: 0 });

    expect(host.leases.map(({ model, options }) => [model, options.keepAliveMs])).toEqual([
      ['language-detection', undefined],
      ['translate-en-es', 0],
    ]);
  });

  it('keeps the model that detects for who wants to know the language', async () => {
    const { app, host } = createTestApp();
    await postJson(app, '/detect', { q: 'hola', keep_alive: -1 });
    expect(host.leases).toMatchObject([{ model: 'language-detection', options: { keepAliveMs: -1000 } }]);
  });

  it.each(['/translate', '/detect'])('is passed over at %s where the configuration forbids it', async (path) => {
    const { app, host } = createTestApp({ keepAliveAllowed: false });

    const { status } = await postJson(app, path, { ...good, keep_alive: 0 });

    expect(status).toBe(200);
    expect(host.leases[0]?.options).not.toHaveProperty('keepAliveMs');
  });
});
