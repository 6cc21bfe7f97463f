import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { createTestApp, testNow } from '../support/inference-app.ts';
import { type FuzzedRequest, MARKER, requests } from './requests.ts';
import { seedOr } from './run-fuzz.ts';
import { wrongsOf } from './wrongs.ts';

type Handler = ReturnType<typeof lambdaHandler>;
type Event = Parameters<Handler>[0];

/** As API Gateway tells of a request: names in lower case, one value each, a body that may be in base64. */
function eventOf({ method, target, headers, body }: FuzzedRequest, isBase64Encoded: boolean): object {
  const [rawPath = '', rawQueryString = ''] = target.split('?', 2);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { host: 'api.example.org', ...Object.fromEntries(headers) },
    requestContext: {
      domainName: 'api.example.org',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'x' },
      requestId: 'gateway-1',
      stage: '$default',
      timeEpoch: testNow,
    },
    ...(body === undefined ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

/** What a proxy, a test by hand, or another version of the gateway might leave out or add. */
const garbled = fc.constantFrom<object>(
  {},
  { body: null },
  { body: '%%%' },
  { isBase64Encoded: true },
  { isBase64Encoded: undefined },
  { cookies: ['a=b', 'ü=\u0001'] },
  { rawQueryString: '%&=&&%ff' },
  { pathParameters: null, queryStringParameters: null, stageVariables: null },
);

describe("an event of API Gateway's, whatever is in it", () => {
  it('is answered as described', async () => {
    const { app, lines } = createTestApp();
    const handler = lambdaHandler(app, { pending: () => undefined });
    const property = fc.asyncProperty(requests, fc.boolean(), garbled, async (request, inBase64, change) => {
      // The gateway itself answers those for which it has no route.
      fc.pre(/^\/(?:translate|detect|languages|pipeline\/.)/.test(request.target));
      const event = { ...eventOf(request, inBase64), ...change } as Event;

      const { statusCode, headers, body, isBase64Encoded } = await handler(event);

      const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
      const answer = new Response(bytes.length === 0 ? null : Uint8Array.from(bytes), {
        status: statusCode,
        headers: headers ?? {},
      });
      expect(await wrongsOf(request, answer)).toEqual([]);
    });

    await fc.assert(property, { seed: seedOr(2), numRuns: 150 });

    expect(lines.filter((line) => line.includes(MARKER))).toEqual([]);
  });
});
