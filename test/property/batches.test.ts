import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchesByLength } from '../../shared/runtime/translation/batches.ts';

const anyLengths = fc.array(fc.integer({ min: 2, max: 600 }), { maxLength: 120 });
const anyBeams = fc.integer({ min: 1, max: 16 });

test('every sentence is in exactly one batch, and no batch of several is larger than 32 rows and 4096 positions', () => {
  fc.assert(
    fc.property(anyLengths, anyBeams, (lengths, beams) => {
      const batches = batchesByLength(lengths, beams);

      expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        if (batch.length === 1) continue;
        const rows = batch.length * beams;
        expect(rows).toBeLessThanOrEqual(32);
        expect(rows * Math.max(...batch.map((index) => lengths[index] ?? 0))).toBeLessThanOrEqual(4096);
      }
    }),
    { numRuns: 500 },
  );
});

test('batches go from short sentences to long ones', () => {
  fc.assert(
    fc.property(anyLengths, anyBeams, (lengths, beams) => {
      const inOrder = batchesByLength(lengths, beams)
        .flat()
        .map((index) => lengths[index] ?? 0);

      expect(inOrder).toEqual(lengths.toSorted((a, b) => a - b));
    }),
  );
});

test('no other grouping of the sentences by length costs less', () => {
  const costOf = (groups: readonly (readonly number[])[]) =>
    groups.reduce((sum, group) => sum + Math.max(...group) * (group.length + 12), 0);
  const fewLengths = fc.array(fc.integer({ min: 2, max: 60 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fewLengths, fc.integer({ min: 1, max: 3 }), (lengths, beams) => {
      const ours = batchesByLength(lengths, beams).map((batch) => batch.map((index) => lengths[index] ?? 0));

      for (const other of groupings(lengths.toSorted((a, b) => a - b))) {
        expect(costOf(ours)).toBeLessThanOrEqual(costOf(other));
      }
    }),
    { numRuns: 50 },
  );
});

/** All ways to cut a list into neighbours. */
function groupings(list: readonly number[]): number[][][] {
  if (list.length === 0) return [[]];
  return list.flatMap((_, index) =>
    groupings(list.slice(index + 1)).map((rest) => [list.slice(0, index + 1), ...rest]),
  );
}
