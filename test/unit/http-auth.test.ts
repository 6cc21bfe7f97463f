import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { AccessSettings } from '../../shared/config/access.ts';
import { createAuthenticate } from '../../shared/http/auth/authenticate.ts';
import { callerAddress } from '../../shared/http/auth/caller-address.ts';
import { FailureLimit } from '../../shared/http/auth/failure-limit.ts';
import type { HttpEnv, LambdaBindings } from '../../shared/http/environment.ts';
import { authenticateBy, strictAccess } from '../support/callers.ts';
import { createTestControl } from '../support/control-app.ts';
import { createTestApp, postForm, postJson, read } from '../support/inference-app.ts';

const request = { q: 'Hello', source: 'en', target: 'es' };
const good = 'cslg_good';
const valid = { kind: 'valid', subject: 'housing', scopes: ['infer'], limits: {} } as const;
const keys = {
  [good]: valid,
  cslg_operator: { ...valid, subject: 'operator', scopes: ['admin'] as const },
  cslg_away: { kind: 'unknowable' } as const,
};
const from = (sourceIp: string, authorizer?: object): LambdaBindings => ({
  requestContext: { http: { sourceIp }, ...(authorizer === undefined ? {} : { authorizer }) },
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A POST to `/detect` that wants nothing but a caller who may infer. */
const detection = (headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: '{"q":"Hello"}',
});

/** The inference app with these keys, and nobody let in without one unless the test says so. */
function keyed(access: Partial<AccessSettings> = {}, clock = { now: () => 0 }) {
  return createTestApp({ authenticate: authenticateBy(keys, { access, clock }) });
}

describe("LibreTranslate's clients", () => {
  const noKey = { status: 400, body: { error: 'Please contact the server operator to get an API key', status: 400 } };
  const wrongKey = { status: 403, body: { error: 'Invalid API key', status: 403, code: 'INVALID_CREDENTIALS' } };

  it('hear in its words that a key is missing or wrong, and nothing is translated', async () => {
    const { app, host } = keyed();
    for (const api_key of [undefined, '', null]) {
      expect(await postJson(app, '/translate', { ...request, api_key })).toMatchObject(noKey);
    }
    expect(await postJson(app, '/detect', { q: 'Hello', api_key: 'nonsense' })).toMatchObject(wrongKey);
    expect(await postJson(app, '/detect', { q: 'Hello' }, bearer('cslg_nonsense'))).toMatchObject(wrongKey);
    expect(host.runs).toEqual([]);
  });

  it('see the languages without a key', async () => {
    expect((await keyed().app.request('/languages')).status).toBe(200);
  });

  it('show their key in a JSON body, a form of either kind, or the address', async () => {
    const { app } = keyed();
    const fields = { ...request, api_key: good };
    const multipart = new FormData();
    for (const [name, value] of Object.entries(fields)) multipart.set(name, value);

    expect((await postJson(app, '/translate', fields)).status).toBe(200);
    expect((await postForm(app, '/translate', fields)).status).toBe(200);
    expect((await app.request('/translate', { method: 'POST', body: multipart })).status).toBe(200);
    const query = new URLSearchParams(fields);
    expect((await app.request(`/translate?${query}`, { method: 'POST' })).status).toBe(200);
    // As LibreTranslate: with a JSON body the address does not count.
    expect(await postJson(app, `/translate?api_key=${good}`, request)).toMatchObject(noKey);
  });

  it('are told of a wrong key also where they would need none, as LibreTranslate has it', async () => {
    const { app } = keyed({ anonymousScopes: ['infer'] });
    expect((await postJson(app, '/translate', request)).status).toBe(200);
    expect(await postJson(app, '/translate', { ...request, api_key: 'nonsense' })).toMatchObject(wrongKey);
  });

  it('have a body judged first that cannot be read, and one that is too large not read at all', async () => {
    const { app } = createTestApp({ authenticate: authenticateBy(keys), limits: { bodyBytes: 200 } });
    const headers = { 'content-type': 'application/json' };
    const broken = await app.request('/translate', { method: 'POST', headers, body: '{' });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await postJson(app, '/translate', { ...request, q: 'x'.repeat(300) })).toMatchObject({ status: 413 });
  });
});

describe('all other callers', () => {
  it('hear 401 without credentials or with wrong ones, and how to show them', async () => {
    const { app } = createTestControl({ authenticate: authenticateBy(keys) });
    for (const [headers, challenge, code] of [
      [{}, 'Bearer', 'UNAUTHENTICATED'],
      [{ authorization: 'Basic YTpi' }, 'Bearer', 'UNAUTHENTICATED'],
      [bearer('cslg_nonsense'), 'Bearer error="invalid_token"', 'INVALID_CREDENTIALS'],
      [bearer('eyJhbGciOi.J9.x'), 'Bearer error="invalid_token"', 'INVALID_CREDENTIALS'],
    ] as const) {
      const answer = await read(await app.request('/health/detailed', { headers }));
      expect(answer).toMatchObject({ status: 401, body: { code, status: 401, retryable: false } });
      expect(answer.headers.get('www-authenticate')).toBe(challenge);
    }
  });

  it('hear 403 when they are known and may not do it', async () => {
    const { app } = createTestControl({ authenticate: authenticateBy(keys) });
    const answer = await read(await app.request('/health/detailed', { headers: bearer(good) }));
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(answer.headers.has('www-authenticate')).toBe(false);
    expect((await app.request('/health/detailed', { headers: bearer('cslg_operator') })).status).toBe(200);
  });

  it('hear it in the envelope under /pipeline', async () => {
    const { app } = keyed();
    expect(await postJson(app, '/pipeline/detect', { text: 'Hello' })).toMatchObject({
      status: 401,
      body: { status: 'error', error: { code: 'UNAUTHENTICATED' } },
    });
    expect(await postJson(app, '/pipeline/detect', { text: 'Hello' }, bearer('cslg_operator'))).toMatchObject({
      status: 403,
      body: { status: 'error', error: { code: 'FORBIDDEN' } },
    });
  });

  it('hear 503 with Retry-After where the key cannot be known', async () => {
    const answer = await postJson(keyed().app, '/translate', request, bearer('cslg_away'));
    expect(answer).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE', retryable: true } });
    expect(answer.headers.get('retry-after')).toBe('2');
  });
});

describe('the log', () => {
  it('has who called, and no key, wherever it was shown', async () => {
    const { app, lines } = keyed();
    await postJson(app, '/translate', { ...request, api_key: good });
    await postJson(app, '/translate', request, bearer(good));
    await postForm(app, `/translate?api_key=${good}`, request);
    await postJson(app, '/translate', { ...request, api_key: 'nonsense' });
    await postJson(app, '/translate', request, bearer('nonsense'));

    expect(lines.map((line) => JSON.parse(line).caller)).toEqual([
      'housing',
      'housing',
      'housing',
      undefined,
      undefined,
    ]);
    expect(lines.join('\n')).not.toMatch(/cslg_good|nonsense/);
  });
});

describe("the gateway's word", () => {
  const jwt = (claims: object) => ({ jwt: { claims, scopes: ['casalingua/admin'] } });
  const iam = { iam: { userArn: 'arn:aws:iam::1:user/x' } };
  const status = async (authorizer: object, access: Partial<AccessSettings> = {}) =>
    (await keyed(access).app.request('/detect', detection(), from('192.0.2.1', authorizer))).status;

  it.each([
    ['a scope that is mapped', jwt({ sub: 'alice', scope: 'openid casalingua/infer' }), 200],
    ['one of an array', jwt({ sub: 'alice', scp: '[openid casalingua/infer]' }), 200],
    ['another scope', jwt({ sub: 'alice', scope: 'casalingua/read' }), 403],
    ['one whose name only begins so', jwt({ sub: 'alice', scope: 'casalingua/infer-not' }), 403],
    ["none, whatever the route's are", jwt({ sub: 'alice' }), 403],
  ])('of a token with %s', async (_, authorizer, wanted) => {
    expect(await status(authorizer)).toBe(wanted);
  });

  it('of a signature is worth what is configured, and nothing otherwise', async () => {
    expect(await status(iam)).toBe(403);
    expect(await status(iam, { iamScopes: ['infer'] })).toBe(200);
  });

  it('is believed where the gateway has put it, and nowhere else', async () => {
    const { app } = keyed({ iamScopes: ['infer'] });
    const headers = {
      'x-amzn-iam': 'x',
      'x-user-arn': iam.iam.userArn,
      requestcontext: JSON.stringify(from('x', iam)),
    };
    expect((await app.request('/detect', detection(headers), from('192.0.2.1'))).status).toBe(400);
  });

  it('gives way to an API key', async () => {
    const { app, lines } = keyed({ iamScopes: ['infer'] });
    await app.request('/detect', detection(bearer(good)), from('192.0.2.1', iam));
    await app.request('/detect', detection(bearer('eyJ.x.y')), from('192.0.2.1', iam));
    expect(lines.map((line) => JSON.parse(line).caller)).toEqual(['housing', iam.iam.userArn]);
  });
});

describe('where a request comes from', () => {
  const addressOf = async (bindings: LambdaBindings | undefined, forwarded?: string, trustedProxies = 0) => {
    const app = new Hono<HttpEnv>().get('/', (c) => c.text(callerAddress(c, trustedProxies)));
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    return (await app.request('/', { headers }, bindings)).text();
  };
  const connected = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });

  it('is told by the gateway or the socket', async () => {
    expect(await addressOf(from('192.0.2.1'))).toBe('192.0.2.1');
    expect(await addressOf(connected('192.0.2.2'))).toBe('192.0.2.2');
    expect(await addressOf(connected('::ffff:192.0.2.3'))).toBe('192.0.2.3');
    expect(await addressOf(undefined)).toBe('unknown');
  });

  it('is never what the caller says, and what our own proxies say only where there are some', async () => {
    expect(await addressOf(from('192.0.2.1'), '203.0.113.9')).toBe('192.0.2.1');
    expect(await addressOf(from('192.0.2.1'), '203.0.113.9, 198.51.100.7', 1)).toBe('198.51.100.7');
    expect(await addressOf(from('192.0.2.1'), '203.0.113.9, 198.51.100.7, 10.0.0.1', 2)).toBe('198.51.100.7');
    expect(await addressOf(from('192.0.2.1'), undefined, 1)).toBe('192.0.2.1');
  });

  it.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('is the network of an IPv6 address, as one caller has all of it: %s', async (address, network) => {
    expect(await addressOf(connected(address))).toBe(network);
  });
});

describe('wrong keys', () => {
  const at = { ms: 0 };
  const clock = { now: () => at.ms };
  const tries = async (app: ReturnType<typeof keyed>['app'], key: string, ip = '192.0.2.1') =>
    app.request('/pipeline/detect', { method: 'POST', headers: bearer(key) }, from(ip));

  it('are answered 429 with Retry-After when too many have come from one address, and from no other', async () => {
    const { app } = keyed({}, clock);
    const statuses: number[] = [];
    for (let n = 0; n < 25; n++) statuses.push((await tries(app, `cslg_wrong${n}`)).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 401), ...Array.from({ length: 5 }, () => 429)]);
    const refused = await tries(app, 'cslg_wrong');
    expect(refused.headers.get('retry-after')).toBe('3');
    expect(await refused.json()).toMatchObject({ error: { code: 'TOO_MANY_FAILURES' } });
    expect((await tries(app, 'cslg_wrong', '192.0.2.2')).status).toBe(401);

    at.ms += 3_000;
    expect((await tries(app, 'cslg_wrong')).status).toBe(401);
    expect((await tries(app, 'cslg_wrong')).status).toBe(429);
    // LibreTranslate's word for it.
    const libre = await postJson(app, '/translate', { ...request, api_key: 'wrong' });
    expect(libre.status).toBe(403);
    for (let n = 0; n < 20; n++) await postJson(app, '/translate', { ...request, api_key: 'wrong' });
    expect(await postJson(app, '/translate', { ...request, api_key: 'wrong' })).toMatchObject({
      status: 429,
      body: { error: 'Slowdown: too many wrong keys came from this address' },
    });
  });

  it('of others keep nobody with a right key from the same address out', async () => {
    const { app } = keyed({}, clock);
    for (let n = 0; n < 30; n++) await tries(app, `cslg_wrong${n}`);
    for (let n = 0; n < 30; n++) expect((await tries(app, good)).status).toBe(400);
    // Nor does a right key make room for wrong ones.
    expect((await tries(app, 'cslg_wrong')).status).toBe(429);
  });

  it('are counted, and not right ones, nor those that cannot be known', async () => {
    const { app } = keyed({}, clock);
    for (const key of [good, 'cslg_away']) {
      for (let n = 0; n < 30; n++) await tries(app, key, '192.0.2.3');
    }
    expect((await tries(app, 'cslg_wrong', '192.0.2.3')).status).toBe(401);
  });

  it('that come at once are counted before they are judged', async () => {
    const asked: boolean[] = [];
    const lookUp = async (_: string, { asksForStrangers }: { asksForStrangers: boolean }) => {
      asked.push(asksForStrangers);
      await Promise.resolve();
      return { kind: asksForStrangers ? ('invalid' as const) : ('stranger' as const) };
    };
    const { app } = createTestApp({
      authenticate: createAuthenticate({ keys: { lookUp }, access: strictAccess, clock }),
    });
    await Promise.all(Array.from({ length: 100 }, (_, n) => tries(app, `cslg_wrong${n}`)));

    expect(asked.filter((may) => may)).toHaveLength(20);
  });

  it('are remembered of so many networks, and of no more', () => {
    const limit = new FailureLimit(clock);
    for (let n = 0; n < 20; n++) limit.begin('first');
    expect(limit.begin('first').secondsLeft).toBeGreaterThan(0);
    for (let n = 0; n < 10_000; n++) limit.begin(`network ${n}`);
    expect(limit.begin('first').secondsLeft).toBeUndefined();
  });

  it('are forgotten with time, and not brought back by a clock that is set back', () => {
    const limit = new FailureLimit(clock);
    for (let n = 0; n < 20; n++) limit.begin('x');
    at.ms -= 1_000_000;
    expect(limit.begin('x').secondsLeft).toBe(3);
    at.ms += 60_000;
    expect(limit.begin('x').secondsLeft).toBeUndefined();
  });
});
