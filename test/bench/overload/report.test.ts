import { describe, expect, it } from 'vitest';
import type { AdmissionReport } from '../../../shared/admission/admission-report.ts';
import { SeededRandom } from '../../simulation/fleet/seeded-random.ts';
import { arrivalTimes, nextWish } from './mix.ts';
import { levelOf, type Outcome } from './outcome.ts';
import { plotOf } from './plot.ts';
import { fleetReportOf, type Measured, medianReport, reportOf } from './report.ts';

const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  size: 'short',
  deadlineMs: 1000,
  tookMs: 100,
  lateMs: 0,
  status: 200,
  hasRetryAfter: false,
  ...changes,
});

describe('what came of a load', () => {
  it('counts as goodput what was answered in time, and as missed what was let in and was not', () => {
    const level = levelOf({
      outcomes: [
        outcome(),
        outcome({ tookMs: 1000 }),
        outcome({ tookMs: 1001 }),
        outcome({ status: 504, tookMs: 1000 }),
        outcome({ status: 0, tookMs: 1500 }),
      ],
      healthMs: [],
      durationMs: 500,
    });

    expect(level).toMatchObject({ offeredPerSecond: 10, goodputPerSecond: 4, admitted: 5, missed: 3, p50Ms: 1000 });
  });

  it('keeps refusals apart, and finds those that are wrong', () => {
    const level = levelOf({
      outcomes: [
        outcome({ status: 429, hasRetryAfter: true, tookMs: 2 }),
        outcome({ status: 503, hasRetryAfter: true, tookMs: 3 }),
        outcome({ status: 429 }),
        outcome({ status: 500 }),
        outcome({ status: 502 }),
      ],
      healthMs: [1, 2, 30],
      durationMs: 1000,
    });

    expect(level).toMatchObject({ admitted: 0, refused: 3, withoutRetryAfter: 1, otherFailures: 2, p99Ms: 0 });
    expect(level).toMatchObject({ healthP50Ms: 2, healthP99Ms: 30, statuses: { 429: 2, 500: 1, 502: 1, 503: 1 } });
  });
});

describe('the report of an overload', () => {
  const measured = (times: number, gate: 'on' | 'off', goodputPerSecond: number, p99Ms: number): Measured => ({
    times,
    gate,
    level: {
      ...levelOf({ outcomes: [], healthMs: [], durationMs: 1000 }),
      goodputPerSecond,
      p99Ms,
      admitted: 200,
      missed: gate === 'on' ? 1 : 150,
      withoutRetryAfter: times === 10 ? 1 : 0,
    },
    generatorCpu: 0.1,
    serviceCpu: 1.5,
    admission: { estimateError: times / 100 } as AdmissionReport,
  });
  const all = [
    measured(1, 'on', 90, 800),
    measured(2, 'on', 100, 900),
    measured(10, 'on', 96, 1000),
    measured(1, 'off', 80, 2000),
    measured(10, 'off', 20, 3000),
  ];

  it('compares ten times the capacity with the peak and with the capacity, the gate on and off', () => {
    const { ratios, figures } = reportOf(95, all);

    expect(ratios).toEqual({
      goodput_10x: 0.96,
      deadline_misses_10x: 0.005,
      p99_10x_vs_1x: 1.25,
      goodput_10x_gate_off: 0.25,
      deadline_misses_10x_gate_off: 0.75,
      p99_10x_vs_1x_gate_off: 1.5,
      estimate_error: 0.1,
      wrong_refusals: 1,
    });
    expect(figures).toMatchObject({ capacity_per_s: 95, goodput_per_s_2x: 100, p99_ms_10x_gate_off: 3000 });
  });

  it('does not go by less than it needs', () => {
    expect(() => reportOf(95, all.slice(0, 2))).toThrow('10 times');
  });

  it('tells of a fleet alike, with what its front refuses in its own way', () => {
    const levels = new Map(all.filter(({ gate }) => gate === 'on').map(({ times, level }) => [times, level]));

    const { ratios, figures } = fleetReportOf(95, levels);

    expect(ratios).toEqual({ goodput_10x: 0.96, deadline_misses_10x: 0.005, p99_10x_vs_1x: 1.25 });
    expect(figures).toMatchObject({ without_retry_after_10x: 1, other_failures_10x: 0 });
  });

  it('takes each value’s median of several rounds', () => {
    const round = (value: number) => ({ figures: { speed: value }, ratios: { share: 10 * value } });

    expect(medianReport([round(1), round(9), round(2)])).toEqual(round(2));
  });

  it('draws a line for the gate and one for its absence, within the picture', () => {
    const svg = plotOf(95, all);

    expect(svg.match(/<circle/g)).toHaveLength(all.length);
    const heights = Array.from(svg.matchAll(/cy="([\d.]+)"/g), ([, y]) => Number(y));
    expect(Math.min(...heights)).toBeGreaterThan(0);
    expect(Math.max(...heights)).toBeLessThan(400);
    // More answers in time are further up.
    expect(heights[1]).toBeLessThan(heights.at(-1) ?? 0);
  });
});

describe('callers as they come', () => {
  const sentences = ['Where is the library?', 'I need help.'];

  it('come at the rate that is asked for, each for itself, the same for the same seed', () => {
    const times = arrivalTimes(1000, 20_000, new SeededRandom(7));
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    const mean = 20_000 / times.length;

    expect(times.length).toBeGreaterThan(19_500);
    expect(times.length).toBeLessThan(20_500);
    // The gaps of a Poisson process are spread as widely as they are long.
    const spread = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(spread / mean).toBeCloseTo(1, 1);
    expect(arrivalTimes(1000, 20_000, new SeededRandom(7))).toEqual(times);
  });

  it('want one sentence or a paragraph, with deadlines of all kinds', () => {
    const random = new SeededRandom(7);
    const wishes = Array.from({ length: 1000 }, () => nextWish(sentences, random));

    const long = wishes.filter(({ size }) => size === 'long');
    expect(long.length).toBeGreaterThan(150);
    expect(long.length).toBeLessThan(250);
    expect(long.every(({ body }) => body.split(/[.?]/).length > 4)).toBe(true);
    expect(new Set(wishes.map(({ deadlineMs }) => deadlineMs)).size).toBe(3);
  });
});
