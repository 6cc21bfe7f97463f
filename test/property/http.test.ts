import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createModelBreakers } from '../../functions/inference/model-breakers.ts';
import { createRunModel } from '../../functions/inference/model-run.ts';
import { countCharacters } from '../../functions/inference/text.ts';
import type { CasaLinguaError } from '../../shared/errors.ts';
import { remainingMs } from '../../shared/http/deadline.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { translationManifest } from '../support/fake-catalog.ts';
import { createFakeHost, modelStatus } from '../support/fake-host.ts';
import { createTestBreakers } from '../support/fleet-breakers.ts';
import { createTestApp, noRefusals, postJson } from '../support/inference-app.ts';
import { createTestGate } from '../support/test-gate.ts';

const input = { task: 'translation', texts: ['a'], source: 'en', target: 'es' } as const;
const paths = ['/translate', '/detect', '/pipeline/translate', '/pipeline/translate/batch', '/pipeline/detect'];
const field = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('en', 'es', 'auto', 'zz', 'text', 'html', 3, '😀', 'hola', null),
);
const body = fc.oneof(
  fc.jsonValue(),
  fc.record(
    Object.fromEntries(
      [
        'q',
        'source',
        'target',
        'format',
        'alternatives',
        'text',
        'texts',
        'target_language',
        'source_language',
        'detailed',
        'model_name',
        'model_id',
        'verify',
        'keep_alive',
      ].map((name) => [name, field]),
    ),
    { requiredKeys: [] },
  ),
);

describe('whatever JSON comes', () => {
  it('the answer is a translation, or a failure that is told to be the caller’s', async () => {
    const { app, host } = createTestApp();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, value) => {
        const { status, headers, body: answer } = await postJson(app, path, value);
        expect([200, 400, 404]).toContain(status);
        const failed = status !== 200;
        if (path.startsWith('/pipeline')) expect(answer['status']).toBe(failed ? 'error' : 'success');
        else if (failed) expect(answer).toMatchObject({ status, error: expect.any(String), retryable: false });
        expect(headers.get('x-request-id')).not.toBeNull();
        expect(host.leasesHeld()).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the time that a request has', () => {
  it('is never more than any of those who limit it give', () => {
    const ms = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 100 }), ms, ms, (header, wait, waited, left) => {
        const remaining = remainingMs(
          {
            deadlineHeader: String(header),
            preferHeader: `wait=${wait}`,
            bindings: {
              requestContext: { timeEpoch: 1_000_000 - waited },
              lambdaContext: { awsRequestId: 'r', getRemainingTimeInMillis: () => left },
            },
          },
          1_000_000,
        );
        expect(remaining).toBe(Math.min(header, wait * 1000, 28_000 - waited, left - 1000));
      }),
    );
  });

  it('of a load yet to come is told between one second and two minutes', async () => {
    const reason = new DeadlineExceededError('late');
    const signal = AbortSignal.abort(reason);
    await fc.assert(
      fc.asyncProperty(fc.option(fc.double({ noNaN: true }), { nil: undefined }), async (secondsLeft) => {
        const loading = modelStatus({ state: 'WARMING', ...(secondsLeft === undefined ? {} : { secondsLeft }) });
        const host = createFakeHost({ status: [loading], beforeLease: () => Promise.reject(reason) });
        const { breakers } = createTestBreakers({ now: Date.now });
        const breakerOf = createModelBreakers(breakers, breakerSettings());
        const guards = {
          news: () => undefined,
          gate: createTestGate(),
          breakerOf,
          loads: noRefusals,
          fairRunMs: 5_000,
        };
        const run = createRunModel(host, guards)(translationManifest('translate-en-es', 'en>es'), input, { signal });
        const seconds = await run.catch((error) => (error as CasaLinguaError).retryAfterSeconds);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(120);
        expect(Number.isInteger(seconds)).toBe(true);
      }),
    );
  });
});

it('characters are counted as code points', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(countCharacters(a + b)).toBe([...(a + b)].length);
    }),
  );
});
