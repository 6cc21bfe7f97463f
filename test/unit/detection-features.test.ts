import { describe, expect, test } from 'vitest';
import { writeFeaturesFile } from '../../infra/models/language-detection/features-writer.ts';
import { createFeatureExtractor } from '../../shared/runtime/detection/features.ts';
import { type FeaturesFile, readFeaturesFile } from '../../shared/runtime/detection/features-file.ts';
import { fnvStart, fnvStep } from '../../shared/runtime/detection/fnv.ts';
import { ModelUnsupportedError } from '../../shared/runtime/errors.ts';

const words = ['</s>', 'the', 'flat', 'größe'].map((word) => new TextEncoder().encode(word));
const everyBucket = Uint32Array.from({ length: 50 }, (_, bucket) => bucket);
const onlyWords: FeaturesFile = { minLength: 2, maxLength: 3, buckets: 50, words, keptBuckets: Uint32Array.of() };
const wordsAndNgrams: FeaturesFile = { ...onlyWords, keptBuckets: everyBucket };

const rowsOf = (file: FeaturesFile, text: string) => [...createFeatureExtractor(file)(text)];

describe('the hash', () => {
  test('is FNV-1a for ASCII', () => {
    expect(fnvStep(fnvStart, 'a'.charCodeAt(0)) >>> 0).toBe(0xe40c292c);
  });

  test('takes a byte from 0x80 on as a negative number, as fastText does', () => {
    expect(fnvStep(fnvStart, 0xc3)).toBe(Math.imul(fnvStart ^ 0xffffffc3, 16777619));
  });
});

describe('the features of a text', () => {
  test('are the rows of its words and of the end of the line', () => {
    expect(rowsOf(onlyWords, 'the flat')).toEqual([1, 2, 0]);
    expect(rowsOf(onlyWords, 'größe')).toEqual([3, 0]);
  });

  test('leave out words that the vocabulary does not have', () => {
    expect(rowsOf(onlyWords, 'the house')).toEqual([1, 0]);
  });

  test.each([
    ['', 'no text'],
    [' \t\r\n\v\f\0', 'white space only'],
    ['</s>', 'the end of the line as a word'],
  ])('of %j are the end of the line alone: %s', (text) => {
    expect(rowsOf(wordsAndNgrams, text)).toEqual([0]);
  });

  test.each(['the\nflat', 'the\r\nflat\n', '\tthe\0flat', 'the </s> flat'])(
    'go on over what would end a line of a training file: %j',
    (text) => {
      expect(rowsOf(onlyWords, text)).toEqual([1, 2, 0]);
    },
  );

  test('hold the n-grams of a word with a mark on either side, by characters and not by bytes', () => {
    const hashed = (ngram: string) => 4 + ((Buffer.from(ngram).reduce(fnvStep, fnvStart) >>> 0) % 50);
    expect(rowsOf(wordsAndNgrams, 'ñu')).toEqual([...['<ñ', '<ñu', 'ñu', 'ñu>', 'u>'].map(hashed), 0]);
  });

  test('do not hold n-grams that were pruned', () => {
    const all = rowsOf(wordsAndNgrams, 'house');
    const half = rowsOf({ ...wordsAndNgrams, keptBuckets: everyBucket.slice(0, 25) }, 'house');
    expect(half).toEqual(all.filter((row) => row < 4 + 25));
  });

  test('count a lone surrogate as U+FFFD', () => {
    expect(rowsOf(wordsAndNgrams, 'a\ud800b')).toEqual(rowsOf(wordsAndNgrams, 'a\ufffdb'));
  });

  test('need a row for the end of the line', () => {
    expect(() => createFeatureExtractor({ ...onlyWords, words: words.slice(1) })).toThrow(ModelUnsupportedError);
  });
});

describe('the tokenizer file', () => {
  test('is read as it was written', () => {
    expect(readFeaturesFile(new Uint8Array(writeFeaturesFile(wordsAndNgrams)))).toEqual(wordsAndNgrams);
  });

  test('may lie anywhere in a larger buffer', () => {
    const file = writeFeaturesFile(wordsAndNgrams);
    const larger = new Uint8Array(Buffer.concat([Buffer.alloc(3), file, Buffer.alloc(5)]));
    expect(readFeaturesFile(larger.subarray(3, 3 + file.length))).toEqual(wordsAndNgrams);
  });

  test.each<[string, (file: Uint8Array) => Uint8Array]>([
    ['empty', () => Uint8Array.of()],
    ['another kind of file', (file) => file.map((byte, index) => (index === 0 ? byte + 1 : byte))],
    ['cut off', (file) => file.subarray(0, -1)],
    ['longer than it says', (file) => Buffer.concat([file, Buffer.alloc(4)])],
    ['short of a word', (file) => file.map((byte, index) => (index === 36 ? 65 : byte))],
  ])('is refused if it is %s', (_, change) => {
    expect(() => readFeaturesFile(change(writeFeaturesFile(wordsAndNgrams)))).toThrow(ModelUnsupportedError);
  });
});
