import { afterEach, describe, expect, it, vi } from 'vitest';
import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { wakeEvent } from '../../shared/wake-event.ts';
import { createTestApp, testNow } from '../support/inference-app.ts';

type Event = Parameters<ReturnType<typeof lambdaHandler>>[0];

function event(body: string, options: { base64?: boolean; timeEpoch?: number } = {}): Event {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/translate',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'api.example.org' },
    requestContext: {
      accountId: '1',
      apiId: 'a',
      authentication: null,
      authorizer: {},
      domainName: 'api.example.org',
      domainPrefix: 'api',
      http: { method: 'POST', path: '/translate', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'x' },
      requestId: 'gateway-1',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: options.timeEpoch ?? testNow,
    },
    body: options.base64 ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded: options.base64 ?? false,
  };
}

const context = (remainingMs = 20_000) => ({
  awsRequestId: 'aws-1',
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'f',
  functionVersion: '1',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '1024',
  logGroupName: 'g',
  logStreamName: 's',
  identity: { cognitoIdentityId: '', cognitoIdentityPoolId: '' },
  clientContext: { client: clientApp, Custom: {}, env: clientEnvironment },
  getRemainingTimeInMillis: () => remainingMs,
});
const clientApp = { installationId: '', appTitle: '', appVersionName: '', appVersionCode: '', appPackageName: '' };
const clientEnvironment = { platformVersion: '', platform: '', make: '', model: '', locale: '' };

const body = JSON.stringify({ q: 'Grüße', source: 'en', target: 'es' });

describe('behind Lambda', () => {
  it.each([{ base64: false }, { base64: true }])(
    "an API Gateway event is answered ($base64), under Lambda's id",
    async (form) => {
      const handler = lambdaHandler(createTestApp().app, { pending: () => undefined });
      const result = await handler(event(body, form), context());
      expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: false });
      expect(JSON.parse(result.body)).toEqual({ translatedText: 'GRÜSSE' });
      expect(result.headers?.['x-request-id']).toBe('aws-1');
    },
  );

  it.each([
    ['the gateway gives up soon', event(body, { timeEpoch: testNow - 29_000 }), context()],
    ['the invocation ends soon', event(body), context(900)],
  ])('nothing is begun when %s', async (_, late, lambdaContext) => {
    const { app, host } = createTestApp();
    const result = await lambdaHandler(app, { pending: () => undefined })(late, lambdaContext);
    expect(result.statusCode).toBe(504);
    expect(host.runs).toEqual([]);
  });

  describe('an answer, with store calls still out', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('waits for them, since the instance is frozen with it', async () => {
      let finish = () => {};
      const calls = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let answered = false;
      const answer = lambdaHandler(createTestApp().app, { pending: () => calls })(event(body), context()).finally(
        () => {
          answered = true;
        },
      );
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(answered).toBe(false);

      finish();

      expect((await answer).statusCode).toBe(200);
    });

    it('waits no longer than 100 ms', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const answer = lambdaHandler(createTestApp().app, { pending: () => new Promise<void>(() => {}) })(
        event(body),
        context(),
      );

      await vi.advanceTimersByTimeAsync(100);

      expect((await answer).statusCode).toBe(200);
    });

    it('waits first for what is about to end, so that the end is told, too', async () => {
      let hasEnded = false;
      const told: boolean[] = [];
      const endings = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        hasEnded = true;
      };
      const pending = () => {
        told.push(hasEnded);
        return undefined;
      };

      const result = await lambdaHandler(createTestApp().app, { pending, endings })(event(body), context());

      expect(result.statusCode).toBe(200);
      expect(told).toEqual([true]);
    });

    it('waits no longer than half a second for an end', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const never = () => new Promise<void>(() => {});
      const answer = lambdaHandler(createTestApp().app, { pending: () => undefined, endings: never })(
        event(body),
        context(),
      );

      await vi.advanceTimersByTimeAsync(500);

      expect((await answer).statusCode).toBe(200);
    });
  });

  describe('an event that wakes the instance', () => {
    // Whoever wakes it does so without a request.
    const wake = wakeEvent as unknown as Event;
    afterEach(() => {
      vi.useRealTimers();
    });

    it('has it do what is wanted before it rests, and reaches no route', async () => {
      const steps: string[] = [];
      const { app, lines } = createTestApp();
      const handler = lambdaHandler(app, {
        woken: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          steps.push('woken');
        },
        pending: () => void steps.push('pending'),
        flush: () => void steps.push('flush'),
        rest: () => void steps.push('rest'),
      });

      expect((await handler(wake, context())).statusCode).toBe(204);

      expect(steps).toEqual(['woken', 'pending', 'flush', 'rest']);
      expect(lines).toEqual([]);
    });

    it('ends in peace before the invocation does, whatever goes on', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      let rested = false;
      let told: AbortSignal | undefined;
      const handler = lambdaHandler(createTestApp().app, {
        woken: (signal) => {
          told = signal;
          return new Promise<void>(() => {});
        },
        pending: () => undefined,
        rest: () => {
          rested = true;
        },
      });
      const answer = handler(wake, context(20_000));

      await vi.advanceTimersByTimeAsync(17_999);
      expect(rested).toBe(false);
      expect(told?.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(1);

      expect((await answer).statusCode).toBe(204);
      expect(rested).toBe(true);
      expect(told?.aborted).toBe(true);
    });
  });

  it('rests when the last of the requests under way has been answered', async () => {
    let rests = 0;
    const answers: (() => void)[] = [];
    const pending = () => new Promise<void>((resolve) => answers.push(resolve));
    const handler = lambdaHandler(createTestApp().app, { pending, rest: () => rests++ });
    const [first, second] = [handler(event(body), context()), handler(event(body), context())];
    while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));

    answers[0]?.();
    await first;
    expect(rests).toBe(0);
    answers[1]?.();
    await second;

    expect(rests).toBe(1);
  });
});
