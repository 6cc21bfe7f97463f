import { describe, expect, it } from 'vitest';
import { reportOf } from './report.ts';
import type { Timed } from './timed.ts';

const round: Timed = {
  through: {
    admitted: { ours: 200, local: 150, cockatiel: 250, opossum: 800 },
    refused: { ours: 1_100, local: 1_100, cockatiel: 5_500, opossum: 6_000 },
    failed: { ours: 1_500, local: 1_250, cockatiel: 2_000, opossum: 6_000 },
  },
  bare: { admitted: 50, failed: 1_000 },
  decision: { admitted: 25, refused: 100, refusedForTheFleet: 150, localAdmitted: 20, localRefused: 50 },
  wake: 40,
};

describe('the report of breakers', () => {
  it('compares whole calls that are admitted, and of others what each breaker adds', () => {
    const { ratios } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({
      admit_vs_cockatiel: 0.8,
      refuse_vs_opossum: 150 / 5_000,
      failure_vs_opossum: 500 / 5_000,
    });
  });

  it('takes the dearer of two refusals: where the instance itself has opened it, and where the fleet has', () => {
    const { ratios } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({
      refuse_alone_vs_opossum: 100 / 5_000,
      refuse_for_the_fleet_vs_opossum: 150 / 5_000,
      refuse_vs_opossum: 150 / 5_000,
    });
  });

  it("tells what an instance's own breakers take, without the fleet", () => {
    const { ratios } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({
      local_admit_vs_cockatiel: 0.6,
      local_refuse_vs_opossum: 50 / 5_000,
      local_failure_vs_opossum: 250 / 5_000,
    });
  });

  it('tells the whole calls besides, which are mostly the language throwing and catching', () => {
    const { ratios, figures } = reportOf([round, round, round]);

    expect(ratios).toMatchObject({ refuse_by_promise_vs_cockatiel: 0.2, failure_with_the_call_vs_opossum: 0.25 });
    expect(figures).toMatchObject({ ours_refuse_ns: 1_100, failing_call_alone_ns: 1_000, refuse_decision_ns: 100 });
  });
});
