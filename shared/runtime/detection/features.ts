import { ModelUnsupportedError } from '../errors.ts';
import type { FeaturesFile } from './features-file.ts';
import { fnvStart, fnvStep } from './fnv.ts';
import { createBucketRows, createWordRows } from './row-tables.ts';

/** The rows of the model's table that a text consists of, in fastText's order; never empty, for the line's end is one. */
export type FeatureExtractor = (text: string) => Int32Array;

const lineEnd = '</s>';
const wordStart = '<'.charCodeAt(0);
const wordEnd = '>'.charCodeAt(0);
const space = ' '.charCodeAt(0);

/**
 * Features as fastText's `predict` takes them from one line: for each word its row, if it has one, and the rows of its
 * character n-grams with `<` and `>` around it; then the row of the line's end. Three things are ours, because a
 * user's text is not a training file: a line break within the text is a space, so is the word `</s>` (in fastText both
 * end the line and drop the rest), and a word that begins with `__label__` is a word like others. A lone surrogate
 * counts as U+FFFD.
 *
 * @throws ModelUnsupportedError if the vocabulary has no row for the line's end.
 */
export function createFeatureExtractor(file: FeaturesFile): FeatureExtractor {
  const encoder = new TextEncoder();
  const wordRows = createWordRows(file.words);
  const bucketRows = createBucketRows(file.keptBuckets, file.words.length);
  const lineEndBytes = encoder.encode(lineEnd);
  const lineEndHash = lineEndBytes.reduce(fnvStep, fnvStart);
  const lineEndRow = wordRows.rowOf(lineEndBytes, 0, lineEndBytes.length, lineEndHash);
  if (lineEndRow < 0) {
    throw new ModelUnsupportedError('the vocabulary of the language detection has no end of line');
  }
  const { minLength, maxLength, buckets } = file;

  /** Writes the rows of the n-grams that `bytes[start, end)` holds, from `count` on, and answers the new count. */
  function addNgrams(bytes: Uint8Array, start: number, end: number, rows: Int32Array, from: number): number {
    let count = from;
    for (let first = start; first < end; first++) {
      if (isContinuation(bytes[first])) {
        continue;
      }
      let hash = fnvStart;
      for (let position = first, length = 1; position < end && length <= maxLength; length++) {
        do {
          hash = fnvStep(hash, bytes[position] ?? 0);
          position++;
        } while (position < end && isContinuation(bytes[position]));
        const row = length < minLength ? -1 : bucketRows.rowOf((hash >>> 0) % buckets);
        if (row >= 0) {
          rows[count++] = row;
        }
      }
    }
    return count;
  }

  return function extractFeatures(text) {
    const bytes = encoder.encode(` ${text} `);
    const rows = new Int32Array(mostRows(bytes.length, maxLength - minLength + 1));
    let count = 0;
    for (let start = 1; start < bytes.length; ) {
      let end = start;
      let hash = fnvStart;
      while (!isSpace(bytes[end] ?? space)) {
        hash = fnvStep(hash, bytes[end] ?? 0);
        end++;
      }
      const row = end === start ? lineEndRow : wordRows.rowOf(bytes, start, end, hash);
      if (row !== lineEndRow) {
        if (row >= 0) {
          rows[count++] = row;
        }
        // The bytes around a word are white space that nobody reads any more: the marks take their place.
        bytes[start - 1] = wordStart;
        bytes[end] = wordEnd;
        count = addNgrams(bytes, start - 1, end + 1, rows, count);
      }
      start = end + 1;
    }
    rows[count++] = lineEndRow;
    return rows.subarray(0, count);
  };
}

/** Each byte at most begins an n-gram of each length, and so do the two marks of each word. */
function mostRows(bytes: number, lengths: number): number {
  return 2 * bytes * lengths + bytes + 1;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** What separates words for fastText: ASCII white space and NUL. */
function isSpace(byte: number): boolean {
  return byte === space || (byte >= 9 && byte <= 13) || byte === 0;
}
