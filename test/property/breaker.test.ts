import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transitions } from '../../shared/breaker/breaker-state.ts';
import { SlidingWindow } from '../../shared/breaker/sliding-window.ts';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import { type BreakerEvent, BreakerHistory } from '../support/breaker-history.ts';
import { breakerSettings } from '../support/breaker-settings.ts';

/** Small numbers, so that a history of some hundred events goes through all states many times. */
const settings: fc.Arbitrary<CircuitBreakerSettings> = fc
  .record({
    rule: fc.constantFrom('consecutive', 'rate'),
    failureThreshold: fc.integer({ min: 1, max: 4 }),
    resetMs: fc.integer({ min: 1, max: 1_000 }),
    windowMs: fc.integer({ min: 100, max: 10_000 }),
    minimumCalls: fc.integer({ min: 1, max: 5 }),
    failureRatePercent: fc.integer({ min: 20, max: 100 }),
    slowCallRatePercent: fc.integer({ min: 20, max: 100 }),
    slowCallMs: fc.constant(500),
    halfOpenSuccesses: fc.integer({ min: 1, max: 3 }),
    probeLeaseMs: fc.integer({ min: 100, max: 1_000 }),
    rampMs: fc.constantFrom(0, 400, 1_000),
  })
  .map(breakerSettings);

const event: fc.Arbitrary<BreakerEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ type: 'admit' } as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      // The latest most of all: those before it stay under way for long, and come late.
      call: fc.oneof(fc.nat(20), fc.constant(-1)),
      verdict: fc.constantFrom('success', 'success', 'failure', 'failure', 'neutral'),
      tookMs: fc.constantFrom(0, 499, 500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('vanish' as const), call: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'look' } as const) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.oneof(fc.nat(300), fc.nat(1_500), fc.constant(86_400_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('set back' as const), ms: fc.nat(86_400_000) }) },
);

describe('random histories of breakers', () => {
  it('keep every promise after every event, whatever comes between, and take together every step there is', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(settings, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(2), event), { minLength: 30, maxLength: 300 }),
        (all, events) => {
          const histories = all.map((each, index) => new BreakerHistory(`b${index}`, each));
          for (const [which, what] of events) {
            const chosen = histories[which % histories.length];
            const others = histories.filter((history) => history !== chosen);
            const before = others.map(({ breaker }) => breaker.report());
            chosen?.play(what);
            expect(others.map(({ breaker }) => breaker.report())).toEqual(before);
          }
          for (const history of histories) {
            for (const step of history.seen) seen.add(step);
            history.expectRecovery();
          }
        },
      ),
      { numRuns: 600 },
    );
    const known = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from}>${to}`));
    expect([...seen].toSorted()).toEqual(known.toSorted());
  });
});

it('a sliding window has all calls of nine tenths of its time, and none that is older than its time', () => {
  const call = fc.record({ after: fc.oneof(fc.nat(50), fc.nat(3_000)), failed: fc.boolean(), slow: fc.boolean() });
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 1_000 }),
      fc.array(call, { maxLength: 60 }),
      fc.nat(2_000),
      (ms, calls, rest) => {
        const window = new SlidingWindow(ms);
        let now = 0;
        const made = calls.map(({ after, failed, slow }) => {
          now += after;
          window.add(now, failed, slow);
          return { at: now, failed, slow };
        });
        now += rest;
        window.advance(now);

        const count = (age: number, kind: (one: { failed: boolean; slow: boolean }) => boolean) =>
          made.filter((one) => now - one.at < age && kind(one)).length;
        const kinds = {
          calls: () => true,
          failures: (one: { failed: boolean }) => one.failed,
          slow: (one: { slow: boolean }) => one.slow,
        };
        for (const name of ['calls', 'failures', 'slow'] as const) {
          // One ms for the rounding of buckets whose length is no whole number.
          expect(window[name]).toBeGreaterThanOrEqual(count(ms * 0.9 - 1, kinds[name]));
          expect(window[name]).toBeLessThanOrEqual(count(ms + 1, kinds[name]));
        }
      },
    ),
    { numRuns: 500 },
  );
});
