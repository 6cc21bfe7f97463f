import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSeconds } from '../../functions/inference/model-run.ts';
import { countCharacters } from '../../functions/inference/text.ts';
import { remainingMs } from '../../shared/http/deadline.ts';
import { createTestApp, postJson } from '../support/inference-app.ts';

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

  it('of a load yet to come is told between two seconds and two minutes', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 1e9 }), (progress, elapsed) => {
        const seconds = loadSeconds({ progress, startedAt: 0 }, elapsed);
        expect(seconds).toBeGreaterThanOrEqual(2);
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
