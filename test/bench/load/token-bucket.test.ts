import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const RATE = 1_000_000;

it('lets through what the rate allows, whatever is asked for and when, and no more than a burst beyond', async () => {
  const request = fc.record({ restMs: fc.nat(50), bytes: fc.integer({ min: 1, max: 100_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 50 }), async (requests) => {
      let now = 1_000;
      const sleep = async (ms: number) => {
        now += ms;
      };
      const bucket = new TokenBucket(RATE, { now: () => now, sleep });
      const started = now;
      let rested = 0;
      let sent = 0;
      for (const { restMs, bytes } of requests) {
        now += restMs;
        rested += restMs;
        await bucket.take(bytes);
        sent += bytes;
        const allowed = ((now - started + 20) * RATE) / 1000;
        expect(sent).toBeLessThanOrEqual(allowed + 1e-6 * sent);
      }
      expect(now - started).toBeLessThanOrEqual((sent * 1000) / RATE + rested + 1e-6);
    }),
  );
});
