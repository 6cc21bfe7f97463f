import { fnvStart, fnvStep } from './fnv.ts';

/** The row of a word, found by its bytes without making a string of them. */
export interface WordRows {
  /** The row of `bytes[start, end)`, whose FNV hash is `hash`; -1 if it is not in the vocabulary. */
  rowOf(bytes: Uint8Array, start: number, end: number, hash: number): number;
}

/** The row of an n-gram's hash bucket. */
export interface BucketRows {
  /** -1 if the bucket was pruned. */
  rowOf(bucket: number): number;
}

/** Open addressing at a load of at most a half. */
function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, entries) * 2));
}

/** A table of words; a word's row is its index. */
export function createWordRows(words: readonly Uint8Array[]): WordRows {
  const slots = new Int32Array(slotsFor(words.length)).fill(-1);
  const mask = slots.length - 1;
  for (const [row, word] of words.entries()) {
    let slot = word.reduce(fnvStep, fnvStart) & mask;
    while (slots[slot] !== -1) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = row;
  }
  return {
    rowOf(bytes, start, end, hash) {
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const row = slots[slot] ?? -1;
        const word = words[row];
        if (word === undefined || isSame(word, bytes, start, end)) {
          return row;
        }
      }
    },
  };
}

function isSame(word: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (word.length !== end - start) {
    return false;
  }
  for (let index = 0; index < word.length; index++) {
    if (word[index] !== bytes[start + index]) {
      return false;
    }
  }
  return true;
}

/** A table of buckets; the row of `keptBuckets[i]` is `firstRow + i`. */
export function createBucketRows(keptBuckets: Uint32Array, firstRow: number): BucketRows {
  const buckets = new Int32Array(slotsFor(keptBuckets.length)).fill(-1);
  const rows = new Int32Array(buckets.length);
  const mask = buckets.length - 1;
  for (let index = 0; index < keptBuckets.length; index++) {
    const bucket = keptBuckets[index] ?? -1;
    let slot = bucket & mask;
    while (buckets[slot] !== -1) {
      slot = (slot + 1) & mask;
    }
    buckets[slot] = bucket;
    rows[slot] = firstRow + index;
  }
  return {
    rowOf(bucket) {
      for (let slot = bucket & mask; buckets[slot] !== -1; slot = (slot + 1) & mask) {
        if (buckets[slot] === bucket) {
          return rows[slot] ?? -1;
        }
      }
      return -1;
    },
  };
}
