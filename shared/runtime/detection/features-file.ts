import { ModelUnsupportedError } from '../errors.ts';

/**
 * The tokenizer of a fastText classifier as one little-endian file, which `infra/models/language-detection` writes:
 *
 * | Bytes | What |
 * |---|---|
 * | 8 | `CLFEAT01` |
 * | 4 × 6 | uint32: shortest and longest n-gram in characters, number of hash buckets, number of words, bytes of the words, number of kept buckets |
 * | so many | the words in UTF-8, each ended by a NUL, in the order of their rows |
 * | 4 × so many | uint32: the bucket of each n-gram row, in the order of the rows, which follow those of the words |
 */
export interface FeaturesFile {
  /** Characters in the shortest n-gram; at least 2. */
  readonly minLength: number;
  /** Characters in the longest n-gram. */
  readonly maxLength: number;
  /** n-grams are hashed into this many buckets. */
  readonly buckets: number;
  /** UTF-8, in the order of their rows. */
  readonly words: readonly Uint8Array[];
  /** The bucket of row `words.length + i`; an n-gram of any other bucket was pruned from the model. */
  readonly keptBuckets: Uint32Array;
}

export const featuresMagic = 'CLFEAT01';
const headerFields = 6;

/** Reads a tokenizer file. @throws ModelUnsupportedError if it is not one. */
export function readFeaturesFile(file: Uint8Array): FeaturesFile {
  const headerEnd = featuresMagic.length + 4 * headerFields;
  if (file.length < headerEnd || new TextDecoder().decode(file.subarray(0, featuresMagic.length)) !== featuresMagic) {
    throw new ModelUnsupportedError('the tokenizer file of the language detection has an unknown format');
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const field = (index: number) => view.getUint32(featuresMagic.length + 4 * index, true);
  const wordBytes = field(4);
  const kept = field(5);
  const bucketsStart = headerEnd + wordBytes;
  if (file.length !== bucketsStart + 4 * kept) {
    throw new ModelUnsupportedError('the tokenizer file of the language detection has another length than it says');
  }
  const words = splitAtNul(file.subarray(headerEnd, bucketsStart));
  if (words.length !== field(3)) {
    throw new ModelUnsupportedError(
      'the tokenizer file of the language detection has another number of words than it says',
    );
  }
  const keptBuckets = new Uint32Array(kept);
  for (let index = 0; index < kept; index++) {
    keptBuckets[index] = view.getUint32(bucketsStart + 4 * index, true);
  }
  return { minLength: field(0), maxLength: field(1), buckets: field(2), words, keptBuckets };
}

function splitAtNul(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return parts;
}
