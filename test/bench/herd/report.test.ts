import { describe, expect, it } from 'vitest';
import type { Crowd } from './crowd.ts';
import { type Herd, reportOf } from './report.ts';

function crowd(waitedMs: readonly number[], loads: number, peakRssMb = 300): Crowd {
  return { waitedMs, loads, peakRssMb };
}

function herd(crowdLoads = 1): Herd {
  return {
    alone: crowd([1000], 1),
    crowd: crowd(
      Array.from({ length: 200 }, (_, index) => (index < 150 ? 1000 : 1200)),
      crowdLoads,
    ),
    small: crowd([1000, 1000], 1),
    unhardened: crowd([4000, 5000], 2, 600),
  };
}

describe('the report of a herd', () => {
  it('compares the crowd with one request alone, and those that load for themselves with a crowd of their size', () => {
    const { ratios, figures } = reportOf(new Map([['', [herd(), herd(), herd()]]]));

    expect(ratios).toEqual({
      loads_per_model: 1,
      p50_vs_single: 1,
      p99_vs_single: 1.2,
      unhardened_p50_vs_ours: 4,
      unhardened_p99_vs_ours: 5,
      unhardened_peak_rss_vs_ours: 2,
    });
    expect(figures).toMatchObject({ crowd_requests: 200, crowd_p50_ms: 1000, unhardened_crowd_requests: 2 });
  });

  it('tells of a single load too many, in whichever round it was', () => {
    const { ratios } = reportOf(new Map([['', [herd(), herd(2), herd()]]]));

    expect(ratios['loads_per_model']).toBe(2);
  });

  it('keeps the sets of models apart, and counts loads by model', () => {
    const three: Herd = { ...herd(3), alone: crowd([1000, 2000, 3000], 3) };

    const { ratios } = reportOf(
      new Map([
        ['', [herd()]],
        ['_3_models', [three]],
      ]),
    );

    expect(ratios).toMatchObject({ p99_vs_single: 1.2, loads_per_model_3_models: 1, p99_vs_single_3_models: 0.4 });
  });
});
