/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Parts that a file is asked for in, where that makes none too small. */
const LEAST_PARTS = 48;
/** Bytes below which a part is a request too many. */
export const SMALL_PART_BYTES = 1024 * 1024;

/**
 * Bytes of one request for a part of a file, at most `mostBytes`. Parts that come at the same time end at nearly the same time, and
 * until then what reads along has little of them: a file of a few large ones would be read when all of it is there.
 */
export function partBytesOf(fileSize: number, mostBytes: number): number {
  return Math.min(mostBytes, Math.max(SMALL_PART_BYTES, Math.ceil(fileSize / LEAST_PARTS)));
}

/** What is still missing of `size` bytes, in order, in pieces of at most `partBytes`. */
export function missingRanges(size: number, finished: readonly ByteRange[], partBytes: number): ByteRange[] {
  const missing: ByteRange[] = [];
  let at = 0;
  for (const range of [...byStart(finished), { start: size, end: size }]) {
    for (; at < range.start; at = Math.min(at + partBytes, range.start)) {
      missing.push({ start: at, end: Math.min(at + partBytes, range.start) });
    }
    at = Math.max(at, range.end);
  }
  return missing;
}

/** How far the bytes reach from the beginning without a hole. */
export function contiguousEnd(finished: readonly ByteRange[]): number {
  let end = 0;
  for (const range of byStart(finished)) {
    if (range.start > end) {
      break;
    }
    end = Math.max(end, range.end);
  }
  return end;
}

/** The same bytes in as few ranges as there can be, in order. */
export function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of byStart(ranges)) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

function byStart(ranges: readonly ByteRange[]): ByteRange[] {
  return [...ranges].sort((a, b) => a.start - b.start);
}
