import { describe, expect, it } from 'vitest';
import { toAnswer } from '../../infra/local/front/answer.ts';
import { type GatewayRequest, toEvent } from '../../infra/local/front/event.ts';
import { matchRoute, routes } from '../../infra/routes.ts';

const plain: GatewayRequest = {
  method: 'POST',
  url: '/translate',
  headers: { host: ['127.0.0.1:3000'], 'content-type': ['application/json'] },
  body: Buffer.from('{"q":"¿Qué?"}'),
  sourceIp: '127.0.0.1',
  protocol: 'HTTP/1.1',
};
const context = {
  requestId: '6e1bb4f0-9d2f-4f4a-9d8b-0d3f0f0f0f0f',
  now: Date.UTC(2026, 10, 23, 15, 4, 52),
  route: { function: 'inference', routeKey: 'ANY /translate' },
};
const event = (changes: Partial<GatewayRequest>) => toEvent({ ...plain, ...changes }, context);

describe('a request as an event of payload format 2.0', () => {
  it('carries the request and its circumstances', () => {
    expect(event({})).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /translate',
      rawPath: '/translate',
      rawQueryString: '',
      body: '{"q":"¿Qué?"}',
      isBase64Encoded: false,
      requestContext: {
        http: { method: 'POST', path: '/translate', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
        requestId: context.requestId,
        stage: '$default',
        time: '23/Nov/2026:15:04:52 +0000',
        timeEpoch: context.now,
      },
    });
  });

  it('decodes the path and leaves the query as it came', () => {
    const mapped = event({ url: '/a%20b?x=1&x=2&y=%C3%BC' });

    expect(mapped.rawPath).toBe('/a b');
    expect(mapped.rawQueryString).toBe('x=1&x=2&y=%C3%BC');
    expect(mapped.queryStringParameters).toEqual({ x: '1,2', y: 'ü' });
  });

  it('joins repeated headers and sets cookies apart', () => {
    const mapped = event({ headers: { accept: ['text/html', 'text/plain'], cookie: ['a=1; b=2'] } });

    expect(mapped.headers['accept']).toBe('text/html,text/plain');
    expect(mapped.cookies).toEqual(['a=1', 'b=2']);
    expect(mapped.headers).not.toHaveProperty('cookie');
  });

  it.each([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['text/plain', false],
    ['application/x-www-form-urlencoded', true],
    ['multipart/form-data; boundary=x', true],
    ['application/problem+json', true],
    [undefined, true],
  ])('hands a body of type %s over in base64: %s', (type, base64) => {
    const mapped = event({ headers: type === undefined ? {} : { 'content-type': [type] } });

    expect(mapped.isBase64Encoded).toBe(base64);
    expect(Buffer.from(mapped.body ?? '', base64 ? 'base64' : 'utf8')).toEqual(plain.body);
  });

  it('loses no byte of a body that calls itself text and is not', () => {
    const mapped = event({ body: Buffer.from([0xff, 0x00, 0xfe]) });

    expect(mapped.isBase64Encoded).toBe(true);
    expect(Buffer.from(mapped.body ?? '', 'base64')).toEqual(Buffer.from([0xff, 0x00, 0xfe]));
  });

  it('has no body where there is none', () => {
    expect(event({ body: Buffer.alloc(0) })).not.toHaveProperty('body');
  });
});

describe('a result as an answer', () => {
  const answer = (result: unknown) => toAnswer(JSON.stringify(result));

  it('takes status, headers, cookies and a body in base64', () => {
    const result = {
      statusCode: 201,
      headers: { 'Content-Type': 'image/png', 'x-number': 7, 'content-length': '99' },
      cookies: ['a=1', 'b=2'],
      body: 'AP8=',
      isBase64Encoded: true,
    };

    expect(answer(result)).toEqual({
      status: 201,
      headers: [
        ['content-type', 'image/png'],
        ['x-number', '7'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
      body: Buffer.from([0, 255]),
    });
  });

  it('is plain text unless the function says otherwise', () => {
    expect(answer({ statusCode: 200, body: 'x' })?.headers).toEqual([['content-type', 'text/plain;charset=UTF-8']]);
  });

  it('takes anything without a statusCode as the body of a 200', () => {
    expect(answer({ message: 'hello' })).toMatchObject({ status: 200, body: Buffer.from('{"message":"hello"}') });
    expect(answer('hello')).toMatchObject({ status: 200, body: Buffer.from('hello') });
  });

  it.each([{ statusCode: 'often' }, { statusCode: 99 }, { statusCode: 200, body: { not: 'text' } }])(
    'makes nothing of %j',
    (result) => {
      expect(answer(result)).toBeUndefined();
    },
  );
});

describe('the routes', () => {
  it.each([
    ['/translate', 'inference'],
    ['/pipeline/translate/batch', 'inference'],
    ['/health', 'control'],
    ['/health/detailed', 'control'],
    ['/admin/models/translate-en-es/load', 'control'],
    ['/translate/', undefined],
    ['/pipeline', undefined],
    ['/pipeline/', undefined],
    ['/', undefined],
  ])('lead %s to %s', (path, name) => {
    expect(matchRoute(routes, path)?.function).toBe(name);
  });

  it('tell what a greedy route took', () => {
    expect(matchRoute(routes, '/pipeline/a/b')).toEqual({
      function: 'inference',
      routeKey: 'ANY /pipeline/{proxy+}',
      pathParameters: { proxy: 'a/b' },
    });
  });
});
