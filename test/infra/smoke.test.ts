import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { matchRoute, routes } from '../../infra/routes.ts';
import { checks, strangersCheck } from '../../infra/smoke/checks.ts';
import { reportOf } from '../../infra/smoke/report.ts';
import { type CheckResult, runChecks, type Send, type SmokeOptions } from '../../infra/smoke/run-checks.ts';
import { createSigner } from '../../infra/smoke/signing.ts';
import { createTestControl } from '../support/control-app.ts';
import { emptyDigest } from '../support/fake-fleet.ts';
import { createTestApp } from '../support/inference-app.ts';

/** Both apps behind the routes of the gateway, as a deployment has them. */
function deployment(): Send {
  const { app: control } = createTestControl({ digest: emptyDigest });
  const apps = { control, inference: createTestApp().app };
  return async (request) =>
    apps[matchRoute(routes, new URL(request.url).pathname)?.function ?? 'control'].fetch(request);
}

/** Runs the checks on a clock of their own, on which nothing but waiting takes time. */
async function smoke(send: Send, changes: Partial<SmokeOptions> & { checks?: typeof checks } = {}) {
  const waits: number[] = [];
  let now = 0;
  const results = await runChecks(changes.checks ?? checks, {
    url: 'https://translate.example',
    send,
    authorize: async (request) => request,
    patienceMs: 60_000,
    clock: { now: () => now },
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
    ...changes,
  });
  return { results, waits, failed: results.filter(({ fault }) => fault !== undefined).map(({ name }) => name) };
}

/** A deployment in which one path answers otherwise. */
function withAnswer(path: string, answer: () => Response): Send {
  const send = deployment();
  return async (request) => (new URL(request.url).pathname === path ? answer() : send(request));
}

const problemType = 'application/problem+json';
/** What the bad request is to be answered with. */
const unsupported = {
  type: '/problems/unsupported-language',
  title: 'The language is not supported',
  status: 400,
  detail: 'zz is not supported',
  error: 'zz is not supported',
  code: 'UNSUPPORTED_LANGUAGE',
  retryable: false,
};

const only = (name: string) => ({ checks: checks.filter((check) => check.name === name) });
const problem = (status: number, headers: Record<string, string> = {}, more: object = {}) =>
  Response.json({ code: 'MODEL_LOADING', detail: 'it is on its way', retryable: true, ...more }, { status, headers });

describe('the smoke test', () => {
  it('finds nothing wrong with the apps as they are', async () => {
    const { results, failed } = await smoke(deployment());

    expect(failed).toEqual([]);
    expect(results.map(({ name, status }) => [name, status])).toEqual([
      ['health', 200],
      ['readiness', 200],
      ['languages', 200],
      ['detection', 200],
      ['translation', 200],
      ['bad request', 400],
    ]);
  });

  it.each([
    ['health', '/health', () => Response.json({ status: 'starting', version: '1' })],
    ['readiness', '/readiness', () => Response.json({ status: 'ready', models: [] })],
    ['languages', '/languages', () => Response.json([{ code: 'en', targets: ['fr'] }])],
    ['detection', '/detect', () => Response.json([{ language: 'en', confidence: 99 }])],
    ['translation', '/translate', () => Response.json({ translatedText: 'Where is the library?' })],
    ['translation', '/translate', () => new Response('<html>It works!</html>')],
    ['bad request', '/translate', () => Response.json({ code: 'UNSUPPORTED_LANGUAGE' }, { status: 400 })],
    ['bad request', '/translate', () => Response.json({ translatedText: 'x' })],
    ['bad request', '/translate', () => Response.json(unsupported, { headers: { 'content-type': problemType } })],
    ['bad request', '/translate', () => Response.json(unsupported, { status: 400 })],
  ])('fails %s when %s does not answer as it should', async (name, path, answer) => {
    const { failed } = await smoke(withAnswer(path, answer), only(name));

    expect(failed).toEqual([name]);
  });

  it('asks again when the answer says that it will be worth it, and not before', async () => {
    const answers = [problem(503, { 'retry-after': '7' }), problem(429, { 'retry-after': '3' })];
    const { results, waits } = await smoke(
      withAnswer('/translate', () => answers.shift() ?? Response.json({ translatedText: '¿Dónde?' })),
      only('translation'),
    );

    expect(waits).toEqual([7_000, 3_000]);
    expect(results).toMatchObject([{ status: 200, tries: 3, ms: 10_000, fault: undefined }]);
  });

  it('asks again when the gateway or the network failed', async () => {
    const answers = [
      () => Promise.reject(new Error('socket hang up')),
      () => Response.json({ message: 'x' }, { status: 504 }),
    ];
    const { results } = await smoke(
      async () => answers.shift()?.() ?? Response.json({ translatedText: '¿Dónde?' }),
      only('translation'),
    );

    expect(results).toMatchObject([{ tries: 3, fault: undefined }]);
  });

  it('gives up when the wait would be longer than its patience, and says what the last answer was', async () => {
    const { results, waits } = await smoke(
      withAnswer('/translate', () => problem(503, { 'retry-after': '25' })),
      only('translation'),
    );

    expect(waits).toEqual([25_000, 25_000]);
    expect(results).toMatchObject([{ status: 503, fault: 'status 503: MODEL_LOADING, it is on its way' }]);
  });

  it.each([
    ['a failure for good', () => problem(503, {}, { retryable: false })],
    ['what the caller did wrong', () => problem(403)],
    ['a failure of the service', () => problem(500)],
  ])('does not ask again after %s', async (_, answer) => {
    const { results } = await smoke(withAnswer('/translate', answer), only('translation'));

    expect(results).toMatchObject([{ tries: 1, fault: expect.stringContaining('status') }]);
  });

  it('fails when nobody answers', async () => {
    const { results } = await smoke(() => Promise.reject(new Error('connect ECONNREFUSED')), only('health'));

    expect(results).toMatchObject([{ status: undefined, fault: 'no answer: connect ECONNREFUSED' }]);
  });

  it('proves who it is, but for the check that strangers are refused', async () => {
    const seen: (string | null)[] = [];
    const { failed } = await smoke(
      async (request) => {
        seen.push(request.headers.get('authorization'));
        return request.headers.has('authorization')
          ? Response.json({ translatedText: '¿Dónde?' })
          : Response.json({ message: 'Unauthorized' }, { status: 401 });
      },
      {
        checks: [...only('translation').checks, strangersCheck],
        authorize: async (request) => {
          request.headers.set('authorization', 'Bearer key');
          return request;
        },
      },
    );

    expect(seen).toEqual(['Bearer key', null]);
    expect(failed).toEqual([]);
  });

  it('fails when a stranger is served, or refused for another reason than who they are', async () => {
    const answering = (status: number, code: string) => async () => Response.json({ code }, { status });

    for (const send of [deployment(), answering(400, 'BAD_REQUEST')]) {
      expect((await smoke(send, { checks: [strangersCheck] })).failed).toEqual([strangersCheck.name]);
    }
    for (const send of [answering(400, 'UNAUTHENTICATED'), answering(403, 'FORBIDDEN')]) {
      expect((await smoke(send, { checks: [strangersCheck] })).failed).toEqual([]);
    }
  });

  it('keeps the path that the deployment has before its own', async () => {
    const seen: string[] = [];
    const send: Send = async (request) => {
      seen.push(request.url);
      return Response.json({ status: 'ok', version: '1' });
    };
    await smoke(send, { ...only('health'), url: 'https://translate.example/beta' });

    expect(seen).toEqual(['https://translate.example/beta/health']);
  });
});

describe("the smoke test's report", () => {
  const passed: CheckResult = { name: 'health', status: 200, ms: 12.4, tries: 1, fault: undefined };

  it('is a table', () => {
    expect(reportOf([passed, { ...passed, name: 'detection', ms: 1234.5, tries: 3 }])).toBe(
      [
        'check      result  status  ms    tries',
        'health     ok      200     12    1',
        'detection  ok      200     1235  3',
      ].join('\n'),
    );
  });

  it('says below what went wrong', () => {
    const failed = { ...passed, status: undefined, fault: 'no answer: connect ECONNREFUSED' };

    expect(reportOf([failed]).split('\n').slice(1)).toEqual([
      'health  FAILED  -       12  1',
      '',
      'health: no answer: connect ECONNREFUSED',
    ]);
  });
});

describe('a signed request', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('carries the signature of the credentials in the environment, and its body still', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    const body = JSON.stringify({ q: '¿Dónde?' });
    const request = new Request('https://abc.execute-api.eu-central-1.amazonaws.com/translate', {
      method: 'POST',
      body,
    });

    const signed = await createSigner('eu-central-1')(request);

    const authorization = signed.headers.get('authorization') ?? '';
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/execute-api\/aws4_request, /,
    );
    expect(authorization.split('Signature=')[1]).toBe(await signatureOf(signed.clone(), 'secret'));
    expect(await signed.text()).toBe(body);
  });
});

/** What a signed request's signature has to be, by the steps that AWS documents for Signature Version 4. */
async function signatureOf(request: Request, secret: string): Promise<string> {
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/(\S+), SignedHeaders=(\S+),/.exec(request.headers.get('authorization') ?? '') ?? [];
  const { host, pathname } = new URL(request.url);
  const headers = names.split(';').map((name) => `${name}:${name === 'host' ? host : request.headers.get(name)}\n`);
  const canonical = [request.method, pathname, '', headers.join(''), names, sha256(await request.text())].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', request.headers.get('x-amz-date'), scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((from, part) => hmac(from, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}
