import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseVariant, type MeasuredVariant, medianOf } from '../../infra/models/profile/choose-variant.ts';

const variant = { compute: 'as imported', prepacking: true, threads: 1, tiers: 'default' } as const;

const measured = fc
  .record({
    batch1: fc.integer({ min: 85, max: 100 }),
    batch32: fc.integer({ min: 85, max: 100 }),
    peakMb: fc.integer({ min: 1, max: 500 }),
  })
  .map(
    ({ peakMb, ...speed }): MeasuredVariant => ({
      ...variant,
      memory: { peakMb, residentMb: peakMb },
      load: { downloadedMs: 1, warmingMs: 2, readyMs: 3 },
      speed: { unit: 'tokens', ...speed },
    }),
  );

const speedOf = ({ speed }: MeasuredVariant) => Math.sqrt(speed.batch1 * speed.batch32);

describe('the best of the variants', () => {
  it('is nearly the fastest that fits, and of those the smallest', () => {
    fc.assert(
      fc.property(
        fc.array(measured, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 600 }),
        (all, maxMb) => {
          const best = chooseVariant(all as [MeasuredVariant, ...MeasuredVariant[]], maxMb);

          const fitting = all.filter(({ memory }) => memory.peakMb <= maxMb);
          const candidates = fitting.length === 0 ? all : fitting;
          expect(candidates).toContain(best);
          const fastest = Math.max(...candidates.map(speedOf));
          expect(speedOf(best)).toBeGreaterThanOrEqual(0.95 * fastest);
          for (const other of candidates) {
            if (speedOf(other) >= 0.95 * fastest) expect(best.memory.peakMb).toBeLessThanOrEqual(other.memory.peakMb);
          }
        },
      ),
    );
  });

  it('goes by the median of each figure', () => {
    const trial = (peakMb: number, batch1: number) => ({
      memory: { peakMb, residentMb: 1 },
      load: { downloadedMs: 1, warmingMs: 1, readyMs: 1 },
      speed: { unit: 'texts', batch1, batch32: 1 } as const,
    });

    const { memory, speed } = medianOf(variant, [trial(3, 10), trial(1, 30), trial(2, 900)]);

    expect([memory.peakMb, speed.batch1, speed.unit]).toEqual([2, 30, 'texts']);
  });
});
