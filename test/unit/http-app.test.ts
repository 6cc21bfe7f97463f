import { describe, expect, it } from 'vitest';
import { createHttpApp } from '../../shared/http/app.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { anybodyMay } from '../support/callers.ts';
import { createFakeCatalog } from '../support/fake-catalog.ts';
import { createFakeHost, untilGivenUp } from '../support/fake-host.ts';
import { createTestApp, postForm, postJson, read, testNow } from '../support/inference-app.ts';

const request = { q: 'Hello', source: 'en', target: 'es' };

describe('the request id', () => {
  it("is the caller's where it is sane, and comes back", async () => {
    const { headers } = await postJson(createTestApp().app, '/translate', request, { 'x-request-id': 'mine-1' });
    expect(headers.get('x-request-id')).toBe('mine-1');
  });

  it('is a new one where the caller sends nonsense', async () => {
    const { headers } = await postJson(createTestApp().app, '/translate', request, { 'x-request-id': 'a b{}' });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is told in a problem', async () => {
    const { body } = await postJson(createTestApp().app, '/translate', {}, { 'x-request-id': 'mine-2' });
    expect(body['requestId']).toBe('mine-2');
  });
});

describe('a caller that hangs up while its body is read', () => {
  it('is no failure of the service', async () => {
    const gone = new AbortController();
    const body = new ReadableStream({
      pull(stream) {
        gone.abort();
        stream.error(new Error('aborted'));
      },
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = { method: 'POST', headers, body, duplex: 'half' as const, signal: gone.signal };
    const { app, lines } = createTestApp();

    expect(await read(await app.request('/translate', init))).toMatchObject({ status: 408 });
    expect(lines.join('\n')).toContain('REQUEST_CANCELLED');
    expect(lines.join('\n')).not.toMatch(/INTERNAL_ERROR|http\.failure/);
  });
});

describe('what no route answers', () => {
  it('is a problem with 404 for an unknown path', async () => {
    const { status, headers, body } = await read(await createTestApp().app.request('/nowhere'));
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ status: 404, code: 'NOT_FOUND', type: '/problems/not-found' });
  });

  it.each([
    ['GET', '/translate', 'POST'],
    ['GET', '/detect', 'POST'],
    ['POST', '/languages', 'GET, HEAD'],
  ])('is 405 for %s %s, with the methods there are', async (method, path, allow) => {
    const { status, headers, body } = await read(await createTestApp().app.request(path, { method }));
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'METHOD_NOT_ALLOWED', error: 'this method is not allowed here' });
  });

  it('is 413 for a body over the limit, announced or not', async () => {
    const { app } = createTestApp({ limits: { bodyBytes: 50 } });
    const long = { ...request, q: 'a'.repeat(100) };
    const announced = await postJson(app, '/translate', long, { 'content-length': '160' });
    const unannounced = await postJson(app, '/translate', long);
    expect(announced).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    expect(unannounced).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });
});

describe('headers', () => {
  it('let any page call, and read the answer', async () => {
    const preflight = await createTestApp().app.request('/translate', {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'POST' },
    });
    const { headers } = await postJson(createTestApp().app, '/translate', request);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,POST');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization,Content-Type');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toContain('Retry-After');
  });

  it('keep browsers from guessing the type, in failures too', async () => {
    const { headers } = await read(await createTestApp().app.request('/nowhere'));
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('the log', () => {
  it('has one line per request, with sizes', async () => {
    const { app, lines } = createTestApp();
    await postJson(app, '/translate', request, { 'x-request-id': 'r-9', 'content-length': '42' });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        logger: 'casalingua',
        time: new Date(testNow).toISOString(),
        event: 'http.request',
        method: 'POST',
        route: '/translate',
        status: 200,
        ms: 0,
        requestBytes: 42,
        texts: 1,
        characters: 5,
        caller: 'anonymous',
        requestId: 'r-9',
      },
    ]);
  });

  it('never has what a user wrote, wherever it was written', async () => {
    const secret = 'mysecretletter';
    const { app, lines } = createTestApp();
    await postJson(app, '/translate', { ...request, q: secret, api_key: secret });
    await postJson(app, '/translate', { ...request, source: secret });
    await postJson(app, '/translate', { ...request, format: secret });
    await postForm(app, '/translate', { q: secret, source: 'en', target: secret });
    await postJson(app, '/pipeline/translate', { text: secret, target_language: 'es', model_name: secret });
    await app.request('/translate', { method: 'POST', headers: { 'content-type': 'application/json' }, body: secret });
    await app.request(`/${secret}?q=${secret}`);
    expect(lines).toHaveLength(7);
    expect(lines.join('\n')).not.toContain(secret);
  });

  it('says where an unexpected error came from, without its message; the caller learns the request id only', async () => {
    const host = createFakeHost({
      beforeRun: () => Promise.reject(new TypeError('bad "mysecretletter"\n    at the gates')),
    });
    const { app, lines } = createTestApp({ host });
    const { status, body } = await postJson(app, '/detect', { q: 'mysecretletter' }, { 'x-request-id': 'r-3' });
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'INTERNAL_ERROR', requestId: 'r-3' });
    expect(JSON.stringify(body) + lines.join('')).not.toContain('mysecretletter');
    expect(lines.join('')).not.toContain('at the gates');
    const failure = JSON.parse(lines[0] ?? '');
    expect(failure).toMatchObject({ level: 'error', event: 'http.failure', name: 'TypeError', requestId: 'r-3' });
    expect(failure.frames[0]).toMatch(/^at /);
    expect(host.leasesHeld()).toBe(0);
  });
});

describe('the start of a request', () => {
  it.each(['/translate', '/languages', '/nowhere'])(
    'at %s wakes the host, and then who tells the fleet of it',
    async (path) => {
      const host = createFakeHost();
      const wakesBefore: number[] = [];
      const { app } = createTestApp({ host, snapshots: { wake: () => wakesBefore.push(host.wakes()) } });

      await app.request(path, { method: 'POST' });

      expect(wakesBefore).toEqual([1]);
    },
  );
});

describe('a caller that hangs up', () => {
  it('ends the work that is under way for it, and no failure of ours is logged', async () => {
    const caller = new AbortController();
    const host = createFakeHost({
      beforeRun: (_input, signal) => {
        caller.abort();
        return untilGivenUp(signal);
      },
    });
    const { app, lines } = createTestApp({ host });

    await app.request('/detect', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"q":"Hello"}',
      signal: caller.signal,
    });

    expect(host.runs).toEqual([]);
    expect(host.leasesHeld()).toBe(0);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'http.request', status: 408, code: 'REQUEST_CANCELLED' },
    ]);
  });
});

describe('the deadline', () => {
  it('is over before the work for who gives no time', async () => {
    const { app, host } = createTestApp();
    const { status, body } = await postJson(app, '/translate', request, { 'x-request-deadline-ms': '0' });
    expect(status).toBe(504);
    expect(body).toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: true });
    expect(host.runs).toEqual([]);
  });

  it('holds for a catalog that does not answer', async () => {
    const catalog = { ...createFakeCatalog([]), models: () => new Promise<never>(() => {}) };
    const { app } = createTestApp({ catalog });
    const { status } = await postJson(app, '/translate', request, { 'x-request-deadline-ms': '5' });
    expect(status).toBe(504);
  });

  it('must be a number', async () => {
    const { status, body } = await postJson(createTestApp().app, '/translate', request, {
      'x-request-deadline-ms': 'soon',
    });
    expect(status).toBe(400);
    expect(body['code']).toBe('BAD_REQUEST');
  });
});

it('an app without a surface of its own answers problems', async () => {
  const clock = { now: () => testNow };
  const app = createHttpApp({
    log: createJsonLog(() => {}, clock),
    clock,
    access: [],
    authenticate: anybodyMay('infer', 'read'),
  });
  const { status, headers } = await read(await app.request('/'));
  expect(status).toBe(404);
  expect(headers.get('content-type')).toBe('application/problem+json');
});
