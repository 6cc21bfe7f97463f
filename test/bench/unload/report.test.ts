import { describe, expect, it } from 'vitest';
import type { Cycle } from './cycle.ts';
import { reportOf, SETTLING_CYCLES } from './report.ts';

const COUNT = SETTLING_CYCLES + 50;

/** Cycles that leave so much behind, of a model that takes 400 MB more than what is there. */
function cycles(left: (cycle: number) => number, count = COUNT): Cycle[] {
  return Array.from({ length: count }, (_, index) => {
    const beforeMb = index === 0 ? 100 : left(index - 1);
    return { beforeMb, readyMb: beforeMb + 400, afterMb: left(index), loadMs: 600, endMs: 50 };
  });
}

/** A heap that only grows: the first model's memory is there for the next. */
const keepsAll: readonly Cycle[] = cycles(() => 500, 9);

describe('the report of unloading', () => {
  it('counts the growth from where the process has settled, and tells how it came there', () => {
    const steady = cycles((cycle) => (cycle < SETTLING_CYCLES ? 150 + 10 * cycle : 220));

    const { ratios, figures } = reportOf(200, [{ ours: steady, peer: keepsAll }]);

    expect(ratios).toMatchObject({
      rss_growth_50_cycles: 0,
      rss_growth_from_the_first_three: 0.3,
      rss_growth_from_before_the_first: 0.6,
    });
    expect(figures).toMatchObject({ unload_cycles: COUNT, unload_settled_mb: 220, unload_growth_second_half_mb: 0 });
  });

  it('shows a leak, however small each cycle makes it', () => {
    const leaking = cycles((cycle) => 150 + cycle);

    const { ratios, figures } = reportOf(200, [{ ours: leaking, peer: keepsAll }]);

    expect(ratios['rss_growth_50_cycles']).toBeCloseTo(47 / 200);
    expect(figures['unload_growth_second_half_mb']).toBeGreaterThan(20);
  });

  it('compares what an unload gives back with what the load took, and with what a release leaves', () => {
    const keepsATenth = cycles((cycle) => 140 + 40 * cycle);

    const { ratios } = reportOf(200, [{ ours: keepsATenth, peer: keepsAll }]);

    expect(ratios['rss_returned']).toBeCloseTo(0.9);
    expect(ratios['release_returned']).toBe(0);
    expect(ratios['left_vs_release']).toBeCloseTo(0.1);
  });
});
