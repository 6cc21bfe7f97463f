import { afterEach, describe, expect, it, vi } from 'vitest';
import { createJsonLog, type LogLevel } from '../../shared/observability/log.ts';
import { currentRequest, traceIdOf, withinRequest } from '../../shared/observability/request-scope.ts';
import { createFakeHost } from '../support/fake-host.ts';
import { createTestApp, postJson, testNow } from '../support/inference-app.ts';

const traceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
const traceId = '1-5759e988-bd862e3fe1be46a994272793';

function logOf(level?: LogLevel) {
  const lines: string[] = [];
  const log = createJsonLog((line) => lines.push(line), { now: () => testNow }, level === undefined ? {} : { level });
  return { log, lines, logged: () => lines.map((line) => JSON.parse(line)) };
}

describe('a line of the log', () => {
  it('is JSON in one line, with its level, its time and its event first', () => {
    const { log, lines } = logOf();
    log.info('http.request', { status: 200, code: undefined, models: ['a', 'b'], text: 'two\nlines' });
    expect(lines).toEqual([
      '{"level":"info","time":"2026-01-02T03:04:05.678Z","logger":"casalingua","event":"http.request",' +
        '"status":200,"models":["a","b"],"text":"two\\nlines"}',
    ]);
  });

  it.each(['model.state', 'model.crashed', 'breaker.state', 'memory.snapshot'])(
    'about %s is one of the model log',
    (event) => {
      const { log, logged } = logOf();
      log.warn(event);
      expect(logged()).toMatchObject([{ logger: 'casalingua.models', level: 'warn', event }]);
    },
  );

  it.each([
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('is written from the level %s on', (level, written) => {
    const { log, logged } = logOf(level);
    for (const each of ['info', 'warn', 'error'] as const) log[each]('http.request');
    expect(logged().map((line) => line.level)).toEqual(written);
  });

  describe('on Lambda', () => {
    afterEach(() => vi.unstubAllEnvs());

    it('is written from the level on that Lambda allows, if that is higher', () => {
      vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', 'ERROR');
      const { log, logged } = logOf('info');
      for (const each of ['info', 'warn', 'error'] as const) log[each]('http.request');
      expect(logged()).toMatchObject([{ level: 'error', event: 'http.request' }]);
    });
  });
});

describe('a line of a request', () => {
  it('has its id and its trace, also when many are under way', async () => {
    const { log, logged } = logOf();
    const request = (requestId: string) =>
      withinRequest({ requestId, traceId: `trace-${requestId}` }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        log.info('http.failure');
      });

    await Promise.all(['one', 'two', 'three'].map(request));

    expect(logged().map((line) => [line.requestId, line.traceId])).toEqual([
      ['one', 'trace-one'],
      ['two', 'trace-two'],
      ['three', 'trace-three'],
    ]);
  });

  it('is none any more when the request is over, though it began what goes on', async () => {
    let goesOn: Promise<unknown> = Promise.resolve();
    await withinRequest({ requestId: 'one', traceId: undefined }, async () => {
      goesOn = new Promise((resolve) => setTimeout(resolve, 5)).then(() => currentRequest());
    });
    expect(await goesOn).toBeUndefined();
    expect(currentRequest()).toBeUndefined();
  });

  it('has the trace that Lambda tells, of the invocation or of the process', async () => {
    const { app, lines } = createTestApp();
    const lambdaContext = { awsRequestId: 'r-1', getRemainingTimeInMillis: () => 10_000, xRayTraceId: traceHeader };
    await app.request('/languages', {}, { lambdaContext });
    vi.stubEnv('_X_AMZN_TRACE_ID', traceHeader.replace('1-5759e988', '1-00000000'));
    await app.request('/languages');
    vi.unstubAllEnvs();

    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'http.request', requestId: 'r-1', traceId },
      { event: 'http.request', traceId: '1-00000000-bd862e3fe1be46a994272793' },
    ]);
  });

  it.each([undefined, '', 'Self=1-2-3', 'Parent=1;Sampled=0', 'UpRoot=1-2-3'])(
    'has no trace by the header %j',
    (header) => {
      expect(traceIdOf(header)).toBeUndefined();
    },
  );
});

const marker = 'mÄrker wxyz<b>';
/** As it would look where it was encoded; letters that are in no random number's hexadecimal digits. */
const traces = ['mÄrker', 'wxyz', 'm\\u00c4rker', 'm%C3%84rker'];

describe("a user's text", () => {
  const failing = () => Promise.reject(new TypeError(`cannot translate ${marker}`));
  const bodies = [
    { q: marker, source: 'en', target: 'es' },
    { q: [marker, marker], source: 'auto', target: 'es', format: 'html', api_key: marker },
    { q: marker, source: marker, target: marker },
    { q: { [marker]: marker }, source: 'en', target: 'es' },
    { text: marker, source_language: 'en', target_language: 'es', model_name: marker, domain: marker },
    { text: marker, target_language: marker, glossary_id: marker },
    { texts: [marker], source_language: 'en', target_language: 'es' },
    { [marker]: marker },
  ];
  const paths = [
    '/translate',
    '/detect',
    '/languages',
    '/pipeline/translate',
    '/pipeline/translate/batch',
    '/pipeline/detect',
    `/${marker}`,
  ];

  it.each([
    ['that is served', 200, createTestApp()],
    ['in which a run fails', 500, createTestApp({ host: createFakeHost({ beforeRun: failing }) })],
    ['in which a load fails', 500, createTestApp({ host: createFakeHost({ beforeLease: failing }) })],
  ])('is in no line of a request %s', async (_, status, { app, lines }) => {
    const credentials = { authorization: `Bearer ${encodeURIComponent(marker)}` };
    const headers = { 'x-request-id': encodeURIComponent(marker) };
    for (const path of paths) {
      const address = `${encodeURI(path)}?q=${encodeURIComponent(marker)}&api_key=${encodeURIComponent(marker)}`;
      for (const body of bodies) {
        await postJson(app, address, body, headers);
        const fields = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
        await app.request(address, { method: 'POST', headers, body: new URLSearchParams(fields) });
        const form = new FormData();
        for (const [name, value] of fields) form.append(name, value);
        await app.request(address, { method: 'POST', headers, body: form });
      }
      await app.request(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"q":"${marker}`,
      });
      await app.request(address, { method: 'PUT', headers });
      await app.request(address, { headers: { ...headers, ...credentials } });
      await app.request(address);
    }
    expect(lines.length).toBeGreaterThan(paths.length * bodies.length * 3);
    const told = lines.join('\n');
    expect(told).toContain(`"status":${status}`);
    for (const trace of traces) expect(told).not.toContain(trace);
  });
});
