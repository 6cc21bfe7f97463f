import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { preparedText } from '../../shared/runtime/detection/prepared-text.ts';
import { bestOf, type FastTextPrediction, loadFastText } from '../fixtures/detection/fasttext.ts';
import { type Detect, openDetection } from '../fixtures/detection/open-detection.ts';
import { knownSentences } from '../fixtures/detection/varied-texts.ts';

/** fastText adds 0.00001 at every turn of its softmax; the graph does not. */
const tolerance = 0.0003;

let detect: Detect;
let predict: FastTextPrediction;
let words: string[];

beforeAll(async () => {
  [detect, predict] = await Promise.all([openDetection(), loadFastText()]);
  words = (await knownSentences()).flatMap(({ text }) => text.split(' '));
});

/** The best language is fastText's, or as probable for fastText as its own best one. */
function expectAgreement(text: string): void {
  const prepared = preparedText(text);
  const [answer] = detect([text]);
  if (prepared === null) {
    expect(answer).toEqual([]);
    return;
  }
  const prediction = predict(prepared);
  const [best] = answer ?? [];
  expect(Math.abs((best?.confidence ?? 0) - bestOf(prediction).confidence)).toBeLessThan(tolerance);
  expect(Math.abs((best?.confidence ?? 0) - (prediction.get(best?.language ?? '') ?? 0))).toBeLessThan(tolerance);
}

describe('language detection agrees with fastText', () => {
  test('on words of many languages in any order', () => {
    const anyWords = fc
      .array(fc.nat(), { minLength: 1, maxLength: 12 })
      .map((picks) => picks.map((pick) => words[pick % words.length]).join(' '));
    fc.assert(fc.property(anyWords, expectAgreement), { numRuns: 400 });
  });

  test.each(['grapheme', 'binary'] as const)('on any text (%s)', (unit) => {
    fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), expectAgreement), { numRuns: 400 });
  });

  test('on letters of any script', () => {
    const letters = fc.stringMatching(/^(\p{L}{1,8} ){1,8}$/u);
    fc.assert(fc.property(letters, expectAgreement), { numRuns: 200 });
  });
});
