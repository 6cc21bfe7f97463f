import { describe, expect, it } from 'vitest';
import { type Played, reportOf } from './report.ts';
import type { Outcome, Trouble } from './trouble.ts';

const outcome: Outcome = {
  openSeconds: 5,
  tripSeconds: 3,
  failedCalls: 30,
  writesPerSecond: 20,
  readsPerSecond: 9,
  healthyReadsPerSecond: 2,
  healthyWrites: 0,
  writes: { VOTE: 3, TRIP: 1 },
  probesPerOpen: 2,
  takeovers: 0,
  openings: 2,
  servedSeconds: 20,
  closedSeconds: 30,
  digestBytes: 196,
};

function played(trouble: Partial<Trouble>, changes: Partial<Outcome> = {}): Played {
  return {
    trouble: { seed: 1, instances: 10, kind: 'process', network: 'clean', ...trouble },
    outcome: { ...outcome, ...changes },
  };
}

describe('the report of simulated fleets', () => {
  it('tells the worst of all histories of a size, whatever runs the instances and carries their calls', () => {
    const { figures } = reportOf([
      played({}),
      played({ kind: 'lambda' }, { openSeconds: 6 }),
      played({ network: 'faulty' }, { writesPerSecond: 40 }),
    ]);

    expect(figures).toMatchObject({ open_seconds_10: 6, writes_per_second_10: 40, trip_seconds_10: 3 });
  });

  it('tells each network besides', () => {
    const { figures } = reportOf([played({}), played({ network: 'faulty' }, { openSeconds: 6 })]);

    expect(figures).toMatchObject({ open_seconds_10_clean: 5, open_seconds_10_faulty: 6 });
  });

  it('keeps sizes apart, and tells calls by the instance', () => {
    const { figures } = reportOf([played({}), played({ instances: 1_000 }, { failedCalls: 4_000 })]);

    expect(figures).toMatchObject({ failed_calls_per_instance_10: 3, failed_calls_per_instance_1000: 4 });
    expect(figures).toMatchObject({ writes_in_all_1000: 4 });
  });
});
