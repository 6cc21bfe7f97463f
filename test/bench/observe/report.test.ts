import { describe, expect, it } from 'vitest';
import { reportOf } from './report.ts';

const round = { bareMs: 10, addedMs: 0.1, addedBySums: 0.2, snapshotMs: 0.3 };

describe('the report about observing', () => {
  it('adds up what a request pays for its lines, for its scope and for its share of a snapshot', () => {
    const { figures, ratios } = reportOf({ rounds: [round], scoped: [0.15], unscoped: [0.1] });

    expect(figures['logs_and_metrics_us']).toBeCloseTo(100);
    expect(figures['request_scope_us']).toBeCloseTo(50);
    // 0.1 + 0.05 ms, and of 0.3 ms the 3000th part.
    expect(ratios['overhead_batch1']).toBeCloseTo(0.01501);
    expect(ratios['overhead_by_sums']).toBeCloseTo(0.02501);
  });

  it('compares within a round, so that a slow one does not count', () => {
    const slow = { ...round, addedMs: 9 };
    const { figures } = reportOf({ rounds: [round, slow, round], scoped: [0.15, 9.05, 0.15], unscoped: [0.1, 9, 0.1] });

    expect(figures['logs_and_metrics_us']).toBeCloseTo(100);
    expect(figures['request_scope_us']).toBeCloseTo(50);
  });
});
