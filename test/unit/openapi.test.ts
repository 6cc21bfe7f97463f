import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { describeApi } from '../../infra/openapi/description.ts';
import { matchRoute, routes } from '../../infra/routes.ts';
import { CannotFitError, ModelLoadingError, QueueFullError } from '../../shared/host/errors.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { InferenceFailedError } from '../../shared/runtime/errors.ts';
import { anybodyMay, authenticateBy } from '../support/callers.ts';
import { createTestControl } from '../support/control-app.ts';
import { complaints, describedRoutes, description, misfits } from '../support/described-api.ts';
import { createFakeCatalog } from '../support/fake-catalog.ts';
import { fleetOf, snapshotOf } from '../support/fake-fleet.ts';
import { createFakeHost, modelStatus } from '../support/fake-host.ts';
import { createTestApp, testNow } from '../support/inference-app.ts';

/** Not behind the gateway: for whoever can reach the instance itself. */
const unrouted = ['GET /instance/health'];
const model = 'translate-en-es';
const breaker = encodeURIComponent(`translate ${model}@1`);
const file = async () => ({ content: new TextEncoder().encode('{}'), etag: '"e"' });

const fleet = fleetOf(
  snapshotOf({
    id: 'a',
    models: [
      modelStatus({ startedAt: testNow, readyAt: testNow, lastUsedAt: testNow }),
      modelStatus({ id: 'translate-es-en', state: 'DOWNLOADING', progress: 0.5, secondsLeft: 2, waitsForPermit: true }),
      modelStatus({
        id: 'other',
        state: 'FAILED',
        nextTryAt: testNow,
        error: { code: 'E', message: 'm', retryable: true },
      }),
    ],
    breakers: [
      { name: 'S3', state: 'OPEN', since: testNow, failures: 5, nextProbeAt: testNow, epoch: 1, isFleetWide: true },
    ],
    wishes: new Map([[model, 1]]),
    traffic: {
      requests: 1,
      failures: 0,
      shed: 0,
      inFlight: 0,
      queueDelayMs: 1.5,
      serviceMs: { p50: 1, p90: 2.5 },
      tokens: 1,
      loads: 1,
      evictions: 0,
    },
    events: [
      { kind: 'breaker', at: testNow, breaker: 'S3', from: 'CLOSED', to: 'OPEN' },
      { kind: 'model', at: testNow, model: 'm@1', from: 'UNLOADED', to: 'FAILED', tookMs: 5, code: 'E' },
    ],
  }),
);

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;

/** Both apps behind the gateway's routes, with whatever a test puts in their way. */
function service({
  inference = {},
  control = {},
}: {
  inference?: Parameters<typeof createTestApp>[0];
  control?: Parameters<typeof createTestControl>[0];
} = {}): Ask {
  const apps = {
    inference: createTestApp(inference).app,
    control: createTestControl({ fleet, files: file, ...control }).app,
  };
  return async (method, path, body, headers = {}) => {
    const app = apps[matchRoute(routes, path.split('?', 1)[0] ?? '')?.function ?? 'control'];
    const isForm = body instanceof FormData || body instanceof URLSearchParams;
    const content =
      body === undefined ? {} : { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) };
    const type: Record<string, string> = isForm ? {} : { 'content-type': 'application/json' };
    return app.request(path, { method, ...content, headers: { ...type, ...headers } });
  };
}

const translation = { q: 'Where?', source: 'en', target: 'es' };
const form = new FormData();
for (const [name, value] of Object.entries(translation)) form.append(name, value);

/** Requests that go well, each with its status. */
const successes: readonly (readonly [
  status: number,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
])[] = [
  [200, 'POST', '/translate', translation],
  [200, 'POST', '/translate', { ...translation, q: ['a', '¿b?', '🏠'], source: 'auto', alternatives: 2 }],
  [200, 'POST', '/translate', { ...translation, q: '🏠', source: 'auto' }],
  [200, 'POST', '/translate', { ...translation, q: '<p>a</p>', format: 'html', keep_alive: '5m', api_key: '' }],
  [200, 'POST', '/translate', new URLSearchParams(translation)],
  [200, 'POST', '/translate', form],
  [200, 'POST', '/detect', { q: 'Hola' }],
  [200, 'POST', '/detect', { q: '🏠' }],
  [200, 'GET', '/languages'],
  [200, 'POST', '/pipeline/translate', { text: 'a', target_language: 'es', formality: 'formal' }],
  [200, 'POST', '/pipeline/translate/batch', { texts: ['a', 'b'], source_language: 'en', target_language: 'es' }],
  [200, 'POST', '/pipeline/detect', { text: 'Hola', detailed: true }],
  [200, 'POST', '/pipeline/detect-language', { text: 'Hola' }],
  [200, 'GET', '/health'],
  [200, 'GET', '/liveness'],
  [200, 'GET', '/readiness'],
  [200, 'GET', '/health/detailed'],
  [200, 'GET', '/health/models'],
  [200, 'GET', '/metrics'],
  [202, 'POST', `/admin/models/${model}/load`],
  [202, 'POST', `/admin/models/${model}/unload`, { for: '1h' }],
  [202, 'POST', `/admin/models/${model}/pin`, { for: '2h' }],
  [202, 'POST', `/admin/models/${model}/unpin`, {}],
  [202, 'POST', `/admin/models/${model}/activate`, { version: '1', expected_seq: 0 }],
  [202, 'POST', `/admin/breakers/${breaker}`, { state: 'open', why: 'x', for: '30m' }],
  [202, 'POST', `/admin/breakers/${breaker}`, { state: 'release' }],
  [202, 'POST', `/admin/breakers/${breaker}`, { state: 'closed', why: 'x' }],
  [200, 'GET', '/admin/access'],
  [200, 'GET', '/admin/models'],
  [200, 'GET', `/admin/models/${model}`],
  [200, 'GET', '/admin/models/other'],
  [200, 'GET', '/admin/models/language-detection'],
  [200, 'GET', '/admin/languages'],
  [200, 'GET', '/admin/breakers'],
  [200, 'GET', '/health/detailed'],
  [200, 'GET', '/admin/memory-snapshots?limit=3'],
  ...[
    '/openapi.json',
    '/docs',
    '/docs/style.css',
    '/dashboard',
    '/dashboard/script.js',
    '/dashboard/style.css',
  ].flatMap((path) => [
    [200, 'GET', path] as const,
    [304, 'GET', path, undefined, { 'if-none-match': '"e"' }] as const,
  ]),
];

describe('the description of the API', () => {
  it('is OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(
      JSON.parse(JSON.stringify(describeApi({ isClosed: false }))),
    );
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });

  it('has every route of both apps, and no other', () => {
    const apps = [createTestApp().app, createTestControl().app];
    const served = apps.flatMap(({ routes: all }) =>
      all
        .filter(({ method }) => method !== 'ALL')
        .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
    );
    expect([...describedRoutes, ...unrouted].sort()).toEqual([...new Set(served)].sort());
  });

  it('says that answers may have members that this version does not know', () => {
    expect(JSON.stringify(description.components)).toContain('"additionalProperties":false');
    expect(JSON.stringify(describeApi({ isClosed: false }).components)).not.toContain('"additionalProperties":false');
  });

  it('asks for a key where the apps do', () => {
    const isOpen = (path: string) => Object.values(description.paths[path] ?? {})[0]?.security.length === 0;
    expect(Object.keys(description.paths).filter(isOpen)).toEqual([
      '/languages',
      '/health',
      '/liveness',
      '/readiness',
      '/openapi.json',
      '/docs',
      '/docs/style.css',
      '/dashboard',
      '/dashboard/script.js',
      '/dashboard/style.css',
    ]);
  });

  it('says which members of a body must be there, and that they hold something', () => {
    const body = description.paths['/translate']?.['post']?.requestBody as {
      content: Record<string, { schema: object }>;
    };
    expect(body.content['multipart/form-data']?.schema).toMatchObject({
      required: ['q', 'source', 'target'],
      properties: { source: { type: 'string', minLength: 1 }, format: { type: ['string', 'null'] } },
    });
  });

  it('has examples that fit, and that the routes take', async () => {
    const ask = service();
    for (const route of describedRoutes) {
      const [method = '', path = ''] = route.split(' ');
      const body = description.paths[path]?.[method.toLowerCase()]?.requestBody as
        | { content: Record<string, { schema: object; example?: unknown }> }
        | undefined;
      const { schema, example } = body?.content['application/json'] ?? {};
      if (schema === undefined) continue;
      expect([route, misfits(route, schema, example)]).toEqual([route, []]);
      const real = path.replace('{id}', model).replace('{name}', breaker);
      const { status } = await ask(method, real, path.endsWith('activate') ? { version: '1' } : example);
      expect([route, status]).toEqual([route, expect.toBeOneOf([200, 202])]);
    }
  });
});

describe('real answers', () => {
  it('that are successes are as described, for every route and status', async () => {
    const ask = service();
    const seen = new Set<string>();
    for (const [status, method, path, body, headers] of successes) {
      const answer = await ask(method, path, body, headers);
      expect([path, answer.status]).toEqual([path, status]);
      expect(await complaints(method, path, answer)).toEqual([]);
      seen.add(`${method} ${status} ${path.split('?', 1)[0]?.replace(breaker, '{name}').replace(model, '{id}')}`);
    }
    const promised = describedRoutes.flatMap((route) => {
      const [method = '', path = ''] = route.split(' ');
      const { responses = {} } = description.paths[path]?.[method.toLowerCase()] ?? {};
      return Object.keys(responses)
        .filter((status) => Number(status) < 400)
        .map((status) => `${method} ${status} ${path}`);
    });
    expect(promised.filter((one) => !seen.has(one))).toEqual([]);
  });

  const failing = (thrown: Error) => ({
    inference: { host: createFakeHost({ beforeLease: () => Promise.reject(thrown) }) },
  });
  const storeAway = {
    ...createFakeCatalog([]),
    models: () => Promise.reject(new StoreUnavailableError('away', { retryAfterSeconds: 3 })),
  };
  const strict = authenticateBy({});
  const work: readonly (readonly [string, unknown])[] = [
    ['/translate', translation],
    ['/detect', { q: 'a' }],
    ['/pipeline/translate', { text: 'a', source_language: 'en', target_language: 'es' }],
    ['/pipeline/translate/batch', { texts: ['a'], source_language: 'en', target_language: 'es' }],
    ['/pipeline/detect', { text: 'a' }],
    ['/pipeline/detect-language', { text: 'a' }],
  ];

  interface Trouble {
    readonly what: string;
    readonly options?: Parameters<typeof service>[0];
    readonly headers?: Record<string, string>;
    readonly status: number;
  }
  const inTheWay: readonly Trouble[] = [
    {
      what: 'a load that is under way',
      options: failing(new ModelLoadingError('loading', { model, state: 'DOWNLOADING' })),
      status: 503,
    },
    { what: 'a full queue', options: failing(new QueueFullError('full')), status: 429 },
    { what: 'a model that never fits', options: failing(new CannotFitError('too large', { model })), status: 507 },
    { what: 'an inference that fails', options: failing(new InferenceFailedError('it failed')), status: 500 },
    { what: 'an error that is not ours', options: failing(new Error('a secret')), status: 500 },
    { what: 'a deadline that has passed', headers: { 'x-request-deadline-ms': '0' }, status: 504 },
    { what: 'a deadline that is none', headers: { 'x-request-deadline-ms': 'soon' }, status: 400 },
    { what: 'a body that is too large', options: { inference: { limits: { bodyBytes: 5 } } }, status: 413 },
  ];
  it.each(inTheWay)('to $what are as described', async ({ options = {}, headers = {}, status }) => {
    const ask = service(options);
    for (const [path, body] of work) {
      const answer = await ask('POST', path, body, headers);
      expect([path, answer.status]).toEqual([path, status]);
      expect(await complaints('POST', path, answer)).toEqual([]);
    }
  });

  it('to what is wrong with a request are as described', async () => {
    const ask = service();
    const wrong: readonly (readonly [number, string, unknown])[] = [
      [400, '/translate', {}],
      [400, '/translate', '{'],
      [400, '/translate', { ...translation, target: 'xx' }],
      [400, '/detect', { q: 'a'.repeat(2_000) }],
      [400, '/pipeline/translate', { text: '', target_language: 'es' }],
      [404, '/pipeline/translate', { text: 'a', target_language: 'es', model_name: 'no' }],
      [404, '/pipeline/detect', { text: 'a', model_id: 'no' }],
      [404, '/admin/models/no/load', undefined],
      [404, `/admin/models/${model}/activate`, { version: '7' }],
      [404, '/admin/breakers/S3', { state: 'release' }],
      [400, `/admin/models/${model}/pin`, { for: 'x' }],
      [409, `/admin/models/${model}/unpin`, undefined],
      [413, `/admin/models/${model}/load`, 'x'.repeat(10_001)],
    ];
    for (const [status, path, body] of wrong) {
      const answer = await ask('POST', path, body);
      expect([path, answer.status]).toEqual([path, status]);
      expect(await complaints('POST', path, answer)).toEqual([]);
    }
    expect(await complaints('GET', '/admin/models/no', await ask('GET', '/admin/models/no'))).toEqual([]);
    const limit = '/admin/memory-snapshots?limit=x';
    expect(await complaints('GET', limit, await ask('GET', limit))).toEqual([]);
  });

  it.each([
    ['without credentials', {}, [400, 401]],
    ['with wrong ones, at last too many', { authorization: 'Bearer cslg_wrong' }, [401, 403, 429]],
    ['who may not', {}, [403]],
    ['whose keys nobody can read', { authorization: 'Bearer cslg_away' }, [503]],
  ] as const)('to callers %s are as described, on every route that asks for them', async (who, headers, statuses) => {
    const unknowable = authenticateBy({ cslg_away: { kind: 'unknowable' } });
    const keyed = authenticateBy({ cslg_poor: { kind: 'valid', subject: 'poor', scopes: [], limits: {} as never } });
    const mayNot = who === 'who may not';
    const authenticate = who.startsWith('whose') ? unknowable : mayNot ? keyed : strict;
    const ask = service({ inference: { authenticate }, control: { authenticate } });
    for (const route of describedRoutes) {
      const [method = '', template = ''] = route.split(' ');
      if (description.paths[template]?.[method.toLowerCase()]?.security.length === 0) continue;
      const path = template.replace('{id}', model).replace('{name}', breaker);
      const shown = mayNot ? { authorization: 'Bearer cslg_poor' } : headers;
      const answer = await ask(method, path, method === 'POST' ? {} : undefined, shown);
      expect([route, answer.status]).toEqual([route, expect.toBeOneOf([...statuses])]);
      expect(await complaints(method, path, answer)).toEqual([]);
    }
  });

  it('while the stores are away are as described', async () => {
    const control = createTestControl({ fleet, authenticate: anybodyMay('admin'), catalog: storeAway });
    control.become('away');
    for (const route of describedRoutes) {
      const [method = '', template = ''] = route.split(' ');
      if (!/^\/(?:admin|health|readiness|docs|dashboard|openapi)/.test(template)) continue;
      const path = template.replace('{id}', model).replace('{name}', breaker);
      const body = template.includes('breakers') ? { state: 'open', why: 'x' } : { version: '1' };
      const needsBody = /activate|breakers/.test(template) && method === 'POST';
      const answer = await control.app.request(path, { method, ...(needsBody ? { body: JSON.stringify(body) } : {}) });
      expect(await complaints(method, path, answer)).toEqual([]);
      if (method === 'POST')
        expect([route, answer.status, answer.headers.get('retry-after')]).toEqual([route, 503, expect.any(String)]);
    }
    const { app } = createTestApp({ catalog: storeAway, authenticate: anybodyMay('infer') });
    expect(await complaints('GET', '/languages', await app.request('/languages'))).toEqual([]);
  });
});
