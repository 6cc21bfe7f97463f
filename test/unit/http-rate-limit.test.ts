import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../shared/http/auth/principal.ts';
import type { HttpEnv, LambdaBindings } from '../../shared/http/environment.ts';
import { createAcceptWork, type RateLimiter } from '../../shared/http/rate-limit.ts';
import { anybodyMay, authenticateBy } from '../support/callers.ts';
import { createTestApp, postJson } from '../support/inference-app.ts';

const from = (sourceIp: string): LambdaBindings => ({ requestContext: { http: { sourceIp } } });
const request = { q: 'Hello', source: 'en', target: 'es' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const valid = { kind: 'valid', subject: 'housing', scopes: ['infer'], limits: {} } as const;
const keys = {
  cslg_a: valid,
  cslg_b: valid,
  cslg_other: { ...valid, subject: 'other', limits: { requestsPerMinute: 1 } },
};
const callerLimits = { requestsPerMinute: 3, charactersPerMinute: 60 };
const limited = () => createTestApp({ authenticate: authenticateBy(keys), callerLimits });

describe('a caller with limits', () => {
  it('is told of them with each answer, and what is left', async () => {
    const { headers } = await postJson(limited().app, '/translate', request, bearer('cslg_a'));
    expect(headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60, "characters";q=60;w=60;qu="characters"');
    expect(headers.get('ratelimit')).toBe('"requests";r=2;t=20, "characters";r=55;t=5');
    expect(headers.get('access-control-expose-headers')).toMatch(/RateLimit,RateLimit-Policy/);
  });

  it('is refused beyond them, with the time to come back, before anything is done', async () => {
    const { app, host } = limited();
    for (let n = 0; n < 3; n++) expect((await postJson(app, '/translate', request, bearer('cslg_a'))).status).toBe(200);
    const runs = host.runs.length;
    const { status, headers, body } = await postJson(app, '/translate', request, bearer('cslg_a'));
    expect({ status, code: body['code'], retryable: body['retryable'] }).toEqual({
      status: 429,
      code: 'RATE_LIMITED',
      retryable: true,
    });
    expect(body['error']).toBe('Slowdown: 3 requests per 1 minute');
    expect(headers.get('retry-after')).toBe('20');
    expect(headers.get('ratelimit')).toBe('"requests";r=0;t=60, "characters";r=45;t=15');
    expect(host.runs).toHaveLength(runs);
    // Another key of the same name shares them, on every surface; another name does not.
    const detection = await postJson(app, '/pipeline/detect', { text: 'Hello' }, bearer('cslg_b'));
    expect(detection).toMatchObject({ status: 429, body: { error: { code: 'RATE_LIMITED' } } });
    expect((await postJson(app, '/translate', request, bearer('cslg_other'))).status).toBe(200);
  });

  it('has those of its own key, where it has some', async () => {
    const { app } = limited();
    const first = await postJson(app, '/detect', { q: 'Hello' }, bearer('cslg_other'));
    expect(first.headers.get('ratelimit-policy')).toMatch(/^"requests";q=1;w=60, "characters";q=60/);
    expect((await postJson(app, '/detect', { q: 'Hello' }, bearer('cslg_other'))).status).toBe(429);
  });

  it('is counted by characters, of all texts', async () => {
    const { app } = limited();
    const batch = { ...request, q: ['a'.repeat(40), 'b'.repeat(20)] };
    expect((await postJson(app, '/translate', batch, bearer('cslg_a'))).status).toBe(200);
    const { body } = await postJson(app, '/translate', request, bearer('cslg_a'));
    expect(body['detail']).toBe('60 characters per 1 minute');
  });

  it('has nothing counted that was not accepted', async () => {
    const { app } = limited();
    for (let n = 0; n < 9; n++) await postJson(app, '/translate', { ...request, target: undefined }, bearer('cslg_a'));
    expect((await postJson(app, '/translate', request, bearer('cslg_a'))).status).toBe(200);
  });
});

describe('without credentials', () => {
  const detect = (app: ReturnType<typeof createTestApp>['app'], ip: string) =>
    app.request('/detect?q=Hello', { method: 'POST' }, from(ip));

  it('each address has limits of its own', async () => {
    const { app } = createTestApp({ authenticate: anybodyMay('infer'), callerLimits: { requestsPerMinute: 1 } });
    expect((await detect(app, '192.0.2.1')).status).toBe(200);
    expect((await detect(app, '192.0.2.1')).status).toBe(429);
    expect((await detect(app, '192.0.2.2')).status).toBe(200);
  });

  it('and where nothing is configured nobody has any, nor hears of them', async () => {
    const { headers } = await postJson(createTestApp().app, '/translate', request);
    expect(headers.has('ratelimit')).toBe(false);
    expect(headers.has('ratelimit-policy')).toBe(false);
  });
});

it.each<[Principal, string, boolean]>([
  [{ kind: 'key', subject: 'housing', scopes: [], limits: {} }, 'key:housing', true],
  [{ kind: 'gateway', subject: 'housing', scopes: [] }, 'gateway:housing', true],
  [{ kind: 'anonymous', scopes: [] }, 'address:192.0.2.1', false],
])('who is counted, and whether by all instances together: %j', async (principal, subject, isShared) => {
  const asked: unknown[] = [];
  const take: RateLimiter['take'] = async (caller, used) => {
    asked.push({ caller, used });
    return { refused: undefined, gauges: [] };
  };
  const accept = createAcceptWork({ limiter: { take }, defaults: { requestsPerMinute: 5 }, trustedProxies: 0 });
  const app = new Hono<HttpEnv>().get('/', async (c) => {
    c.set('principal', principal);
    await accept(c, { texts: 2, characters: 70 });
    return c.text('');
  });
  await app.request('/', {}, from('192.0.2.1'));
  const caller = { subject, perMinute: { requests: 5 }, isShared };
  expect(asked).toEqual([{ caller, used: { requests: 1, characters: 70 } }]);
});
