import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerLine, parseJournal, rangeLine } from '../../shared/repository/journal.ts';
import {
  type ByteRange,
  contiguousEnd,
  mergeRanges,
  missingRanges,
  partBytesOf,
} from '../../shared/repository/ranges.ts';

const size = 200;
const range: fc.Arbitrary<ByteRange> = fc
  .tuple(fc.nat(size), fc.nat(size))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));

function bytesOf(ranges: readonly ByteRange[]): Set<number> {
  return new Set(ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)));
}

describe('a part of a file', () => {
  const MIB = 2 ** 20;

  it.each([
    ['one of 48 of a file of some size', 96 * MIB, 2 * MIB],
    ['no smaller than a request is worth', 12 * MIB, MIB],
    ['no larger than is allowed', 1_000 * MIB, 8 * MIB],
  ])('is %s', (_, fileSize, expected) => {
    expect(partBytesOf(fileSize, 8 * MIB)).toBe(expected);
  });

  it('is as small as is asked for, however small that is', () => {
    expect(partBytesOf(12 * MIB, 1_000)).toBe(1_000);
  });
});

describe('missing ranges', () => {
  it('are exactly the bytes that are not finished, once each, in pieces that are not too large', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.integer({ min: 1, max: 90 }), (finished, partBytes) => {
        const missing = missingRanges(size, finished, partBytes);

        const done = bytesOf(finished);
        const wanted = Array.from({ length: size }, (_, i) => i).filter((byte) => !done.has(byte));
        expect(missing.flatMap((part) => [...bytesOf([part])])).toEqual(wanted);
        expect(missing.every(({ start, end }) => end > start && end - start <= partBytes)).toBe(true);
      }),
    );
  });

  it('begin where the file is whole from its beginning', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), (finished) => {
        const end = contiguousEnd(finished);

        expect(missingRanges(size, finished, size)[0]?.start ?? size).toBe(end);
      }),
    );
  });
});

describe('merged ranges', () => {
  it('hold the same bytes, in order, with a gap between any two', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), (ranges) => {
        const merged = mergeRanges(ranges);

        expect([...bytesOf(merged)]).toEqual([...bytesOf(ranges)].sort((a, b) => a - b));
        expect(merged.every(({ start }, i) => i === 0 || start > (merged[i - 1]?.end ?? 0))).toBe(true);
      }),
    );
  });
});

describe('a journal', () => {
  const header = { etag: '"x"', sha256: 'a'.repeat(64), size };

  it('that was cut anywhere still tells only ranges that were written whole', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.nat(1_000), (ranges, cut) => {
        const whole = headerLine(header) + ranges.map(rangeLine).join('');

        const parsed = parseJournal(whole.slice(0, cut));

        const told = parsed?.finished ?? [];
        expect(told).toEqual(ranges.slice(0, told.length));
        expect(cut >= whole.length ? told.length : 0).toBe(cut >= whole.length ? ranges.length : 0);
      }),
    );
  });

  it('of anything else is no journal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseJournal(text)).toBeUndefined();
      }),
    );
    const beyond = parseJournal(headerLine(header) + rangeLine({ start: 0, end: size + 1 }));
    expect(beyond?.finished).toEqual([]);
  });
});
