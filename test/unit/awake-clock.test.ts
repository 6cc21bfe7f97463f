import { describe, expect, test } from 'vitest';
import { AwakeClock } from '../../shared/host/awake-clock.ts';

function createClock() {
  const readings = { wallMs: 1_000_000, monotonicMs: 500 };
  const clock = new AwakeClock({ wall: () => readings.wallMs, monotonic: () => readings.monotonicMs });
  const pass = (wallMs: number, monotonicMs = wallMs) => {
    readings.wallMs += wallMs;
    readings.monotonicMs += monotonicMs;
  };
  return { clock, pass };
}

describe('awake time', () => {
  test('passes with the clocks, beat or no beat', () => {
    const { clock, pass } = createClock();
    expect(clock.awake()).toBe(0);
    pass(250);
    expect([clock.awake(), clock.beat(), clock.awake()]).toEqual([250, false, 250]);
    pass(250);
    expect(clock.awake()).toBe(500);
  });

  test.each([
    ['both clocks go on', 60_000, 60_000],
    ['the monotonic clock stands still', 60_000, 0],
    ['the monotonic clock goes on for a moment', 60_000, 1_500],
  ])('stands still in a freeze in which %s, but for one beat at most', (_, wallMs, monotonicMs) => {
    const { clock, pass } = createClock();
    pass(wallMs, monotonicMs);

    const expected = Math.min(monotonicMs, 2_000);
    expect(clock.awake()).toBe(expected);
    expect(clock.beat()).toBe(true);
    pass(250);
    expect([clock.awake(), clock.beat()]).toEqual([expected + 250, false]);
  });

  test('takes two seconds between two beats for a slow one, and more for a freeze', () => {
    const { clock, pass } = createClock();
    pass(2_000);
    expect([clock.beat(), clock.awake()]).toEqual([false, 2_000]);
    pass(2_001);
    expect([clock.beat(), clock.awake()]).toEqual([true, 4_000]);
  });

  test('does not mind a wall clock that is set back', () => {
    const { clock, pass } = createClock();
    pass(-3_600_000, 250);

    expect([clock.awake(), clock.beat(), clock.awake()]).toEqual([250, false, 250]);
    expect(clock.wall()).toBe(1_000_000 - 3_600_000);
  });

  test('is not more than what went by on the wall', () => {
    const { clock, pass } = createClock();
    pass(0, 200);
    expect(clock.awake()).toBe(0);
    pass(100, 0);
    expect(clock.awake()).toBe(100);
  });

  test('stands still from a rest until it is resumed, beats or not, however short the rest', () => {
    const { clock, pass } = createClock();
    pass(100);
    clock.rest();
    pass(1_500);
    expect([clock.awake(), clock.beat(), clock.awake()]).toEqual([100, false, 100]);
    pass(1_500);

    expect([clock.resume(), clock.awake()]).toEqual([false, 100]);
    pass(250);
    expect(clock.awake()).toBe(350);
  });

  test.each(['beat', 'resume'] as const)('tells by a %s of a freeze in a rest, once', (call) => {
    const { clock, pass } = createClock();
    clock.rest();
    pass(60_000);

    expect([clock[call](), clock[call](), clock.awake()]).toEqual([true, false, 0]);
  });

  test('tells of a freeze that a rest came after', () => {
    const { clock, pass } = createClock();
    pass(60_000);
    clock.rest();

    expect(clock.resume()).toBe(true);
  });
});
