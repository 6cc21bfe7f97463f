import { describe, expect, test } from 'vitest';
import type { AdmissionSettings } from '../../shared/config/admission.ts';
import { admissionDefaults, toAdmissionSettings } from '../../shared/config/admission-section.ts';
import { runOpenLoop } from '../simulation/gate/open-loop.ts';

/** Requests per second that the simulated model serves when it shares runs, about. */
const CAPACITY = 68;
const loads = [0.5, 1, 2, 5, 10];

interface Changes extends Partial<Pick<AdmissionSettings, 'enabled' | 'overloadWaitPercent'>> {
  readonly slowness?: (second: number) => number;
}

const run = (load: number, { slowness, ...changes }: Changes = {}) =>
  runOpenLoop({
    settings: { ...toAdmissionSettings(admissionDefaults), ...changes },
    isBatching: true,
    requestsPerSecond: load * CAPACITY,
    seconds: 40,
    seed: 7 * load,
    ...(slowness === undefined ? {} : { slowness }),
  });

describe('a model that is asked more than it can do', () => {
  const outcomes = loads.map((load) => run(load));
  const at = (load: number) => outcomes[loads.indexOf(load)] as (typeof outcomes)[number];

  test('answers at ten times its capacity nearly as many in time as ever', () => {
    const best = Math.max(...outcomes.map(({ goodput }) => goodput));

    expect(at(10).goodput / best).toBeGreaterThanOrEqual(0.95);
    // Without the gate all are late.
    expect(run(10, { enabled: false }).goodput / best).toBeLessThan(0.1);
  });

  test('lets hardly anybody in who then comes too late, at any load', () => {
    for (const { missed } of outcomes) expect(missed).toBeLessThan(0.01);
  });

  test('keeps those whom it lets in no longer than at its capacity, or not much', () => {
    expect(at(10).p99 / at(1).p99).toBeLessThan(1.5);
    // A queue as long as at capacity would be there all the time.
    expect(run(10, { overloadWaitPercent: 50 }).p99 / at(1).p99).toBeGreaterThan(2);
  });

  test('lets most of those in who come at its capacity: that their queue is long at times is chance', () => {
    expect(at(1).goodput).toBeGreaterThan(0.9 * CAPACITY);
  });

  test('knows how long runs take', () => {
    expect(at(10).report.estimateError).toBeLessThan(0.2);
  });

  test('keeps its word on a machine that is now and then twice as slow', () => {
    const slowness = (second: number) => (Math.floor(second / 8) % 2 === 0 ? 1 : 2);

    for (const load of [1, 10]) expect(run(load, { slowness }).missed).toBeLessThan(0.01);
  });
});
