import { describe, expect, it } from 'vitest';
import { firstSecond, RateMeter } from './rate-meter.ts';

const counted = (...moments: readonly number[]) => {
  const meter = new RateMeter();
  for (const at of moments) meter.count(at);
  return meter;
};

describe('a rate', () => {
  it('is highest in a second that begins anywhere', () => {
    expect(counted(0, 850, 950, 1_050, 1_150, 5_000).highestSecond()).toBe(4);
  });

  it('leaves out what came before a moment', () => {
    expect(counted(0, 10, 20, 950, 1_100).highestSecond(900)).toBe(2);
  });

  it('has so many in one stretch of time', () => {
    expect(counted(100, 950, 1_050, 2_000).between(900, 2_000)).toBe(2);
  });
});

describe('the first second of which one kind has its share', () => {
  const served = counted(100, 600, 1_500);
  const refused = counted(700, 1_600, 1_700, 1_800, 2_550);

  it('is told by its end', () => {
    expect(firstSecond(refused, served, { share: 1, from: 0, until: 10_000 })).toBe(2_600);
  });

  it('begins no earlier than it is asked for', () => {
    expect(firstSecond(refused, served, { share: 0.7, from: 0, until: 10_000 })).toBe(1_900);
    expect(firstSecond(refused, served, { share: 0.7, from: 1_700, until: 10_000 })).toBe(2_700);
  });

  it('is none where it never has', () => {
    expect(firstSecond(served, refused, { share: 0.9, from: 1_600, until: 10_000 })).toBeUndefined();
  });
});
