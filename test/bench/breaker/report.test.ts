import { describe, expect, it } from 'vitest';
import type { Timed } from './loop.ts';
import { reportOf } from './report.ts';

const round: Timed = {
  ours: { admitted: 200, refused: 1_100, failed: 1_500 },
  cockatiel: { admitted: 250, refused: 5_500, failed: 2_000 },
  opossum: { admitted: 800, refused: 6_000, failed: 6_000 },
  bare: { admitted: 50, failed: 1_000 },
  decision: { admitted: 25, refused: 100 },
};

describe('the report of breakers', () => {
  it('compares whole calls that are admitted, and of others what each breaker adds', () => {
    const { ratios } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({
      admit_vs_cockatiel: 0.8,
      refuse_vs_opossum: 100 / 5_000,
      failure_vs_opossum: 500 / 5_000,
    });
  });

  it('tells the whole calls besides, which are mostly the language throwing and catching', () => {
    const { ratios, figures } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({ refuse_by_promise_vs_cockatiel: 0.2, failure_with_the_call_vs_opossum: 0.25 });
    expect(figures).toMatchObject({ ours_refuse_ns: 1_100, failing_call_alone_ns: 1_000, refuse_decision_ns: 100 });
  });
});
