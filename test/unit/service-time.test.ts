import { describe, expect, test } from 'vitest';
import { SafetyMargin } from '../../shared/admission/safety-margin.ts';
import { ServiceTime } from '../../shared/admission/service-time.ts';
import { SeededRandom } from '../simulation/fleet/seeded-random.ts';

/** Runs of 4 ms and 0.4 ms for each character, times `pace`, a fifth more or less. */
function teach(times: ServiceTime, runs: number, { pace = 1, random = new SeededRandom(1) } = {}): ServiceTime {
  for (let run = 0; run < runs; run++) {
    const characters = random.whole(10, 300);
    times.learn(characters, pace * (4 + 0.4 * characters) * random.between(0.8, 1.2));
  }
  return times;
}

const of = (pace: number) => pace * (4 + 0.4 * 100);

describe('what runs take', () => {
  test('is known by their characters after some tens of them, near enough for short and long', () => {
    const times = teach(new ServiceTime(), 50);

    for (const characters of [30, 100, 300]) {
      const real = 4 + 0.4 * characters;
      expect(Math.abs(times.expected(characters) - real) / real).toBeLessThan(0.2);
    }
  });

  test('is nothing to go by before the fifth', () => {
    const times = teach(new ServiceTime(), 4);
    expect(times.isTelling).toBe(false);

    teach(times, 1);

    expect(times.isTelling).toBe(true);
  });

  test.each([
    ['twice as slow', 2],
    ['twice as fast', 0.5],
    ['five times as slow', 5],
  ])('follows a machine that becomes %s within 40 runs', (_what, pace) => {
    const times = teach(teach(new ServiceTime(), 100), 40, { pace });

    expect(times.expected(100) / of(pace)).toBeGreaterThan(0.8);
    expect(times.expected(100) / of(pace)).toBeLessThan(1.25);
  });

  test('hardly changes by one run that takes a hundred times as long', () => {
    const times = teach(new ServiceTime(), 100);
    const before = times.expected(100);

    times.learn(100, 100 * of(1));

    expect(times.expected(100) / before).toBeLessThan(1.2);
  });

  test('has forgotten the first slow ones of a fresh worker after ten', () => {
    const times = new ServiceTime();
    for (const ms of [171, 60, 30, 20, 18, 16, 15, 14, 14, 14]) times.learn(30, ms);

    expect(times.expected(30)).toBeLessThan(14 * 1.3);
  });

  test('is told for other lengths too where all runs had the same', () => {
    const times = new ServiceTime();
    for (let run = 0; run < 20; run++) times.learn(100, 100);

    expect(times.expected(200)).toBeGreaterThan(150);
    expect(times.expected(200)).toBeLessThan(200);
    expect(times.expected(1)).toBeGreaterThan(0);
  });

  test.each([1, 2, 3, 4])(
    'is told for other lengths too where all had nearly the same, and times are noise (%i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const times = new ServiceTime();
      for (let run = 0; run < 40; run++) times.learn(random.whole(99, 101), 100 * random.between(0.7, 1.3));

      expect(times.expected(200)).toBeGreaterThan(150);
      expect(times.expected(200)).toBeLessThan(195);
    },
  );

  test('follows too where length does not matter', () => {
    const random = new SeededRandom(3);
    const times = new ServiceTime();
    for (let run = 0; run < 100; run++) times.learn(random.whole(10, 1_000), 10 * random.between(0.9, 1.1));
    expect(times.expected(10) / times.expected(1_000)).toBeGreaterThan(0.8);

    for (let run = 0; run < 40; run++) times.learn(random.whole(10, 1_000), 30 * random.between(0.9, 1.1));

    expect(times.expected(500) / 30).toBeGreaterThan(0.9);
  });
});

describe('the margin', () => {
  const learnt = (late: (request: number) => boolean, requests = 4_000) => {
    const margin = new SafetyMargin();
    for (let request = 0; request < requests; request++)
      margin.learn(100, late(request) ? Number.POSITIVE_INFINITY : 90, 150);
    return margin.factor;
  };

  test('grows as long as one in a hundred is late, and shrinks when hardly anybody is, within bounds', () => {
    expect(learnt((request) => request % 100 === 0)).toBeGreaterThan(1.5);
    expect(learnt((request) => request % 1_000 === 0)).toBe(1.05);
    expect(learnt(() => true)).toBe(4);
  });

  test('learns nothing from those who were in no danger', () => {
    const margin = new SafetyMargin();

    margin.learn(10, 1_000, 2_000);

    expect(margin.factor).toBe(1.3);
  });
});
