import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFeatureExtractor } from '../../shared/runtime/detection/features.ts';
import type { FeaturesFile } from '../../shared/runtime/detection/features-file.ts';

const vocabulary = ['</s>', 'a', 'de', 'la', 'где', '部', '😀'];
const file: FeaturesFile = {
  minLength: 2,
  maxLength: 4,
  buckets: 997,
  words: vocabulary.map((word) => new TextEncoder().encode(word)),
  keptBuckets: Uint32Array.from({ length: 600 }, (_, index) => 996 - index),
};
const extractFeatures = createFeatureExtractor(file);

const word = fc
  .oneof(
    fc.constantFrom(...vocabulary.slice(1)),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  )
  .filter((text) => !/[\s\0]/.test(text) && text !== '</s>');

/** The same, written as plainly as can be: a string for each n-gram. */
function plainFeatures(words: readonly string[]): number[] {
  const rows = words.flatMap((each) => {
    const row = vocabulary.indexOf(each);
    return [...(row < 0 ? [] : [row]), ...ngrams([...`<${each}>`]).flatMap(rowOfNgram)];
  });
  return [...rows, vocabulary.indexOf('</s>')];
}

function ngrams(characters: readonly string[]): string[] {
  return characters.flatMap((_, start) =>
    [2, 3, 4]
      .filter((length) => start + length <= characters.length)
      .map((length) => characters.slice(start, start + length).join('')),
  );
}

function rowOfNgram(ngram: string): number[] {
  let hash = 2166136261n;
  for (const byte of new Int8Array(new TextEncoder().encode(ngram))) {
    hash = (BigInt.asUintN(32, hash ^ BigInt.asUintN(32, BigInt(byte))) * 16777619n) % 2n ** 32n;
  }
  const kept = file.keptBuckets.indexOf(Number(hash % BigInt(file.buckets)));
  return kept < 0 ? [] : [vocabulary.length + kept];
}

describe('the features of any text', () => {
  test('are those of the plain way to compute them', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        expect([...extractFeatures(words.join(' '))]).toEqual(plainFeatures(words));
      }),
      { numRuns: 500 },
    );
  });

  test('do not depend on the kind and amount of white space', () => {
    const gap = fc.array(fc.constantFrom(' ', '\t', '\n', '\r\n', '\v', '\f', '\0', ' </s> '), { minLength: 1 });
    fc.assert(
      fc.property(word, gap, word, gap, (first, between, second, after) => {
        const text = `${first}${between.join('')}${second}${after.join('')}`;
        expect(extractFeatures(text)).toEqual(extractFeatures(`${first} ${second}`));
      }),
    );
  });

  test('are rows of the table, and the last is the end of the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const rows = extractFeatures(text);
        expect(rows.at(-1)).toBe(0);
        expect(rows.every((row) => row >= 0 && row < vocabulary.length + file.keptBuckets.length)).toBe(true);
      }),
    );
  });
});
