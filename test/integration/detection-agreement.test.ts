import { beforeAll, describe, expect, test } from 'vitest';
import { preparedText } from '../../shared/runtime/detection/prepared-text.ts';
import { bestOf, type FastTextPrediction, loadFastText } from '../fixtures/detection/fasttext.ts';
import { type Detect, openDetection } from '../fixtures/detection/open-detection.ts';
import { knownSentences, referenceSentences, variedTexts } from '../fixtures/detection/varied-texts.ts';

let detect: Detect;
let predict: FastTextPrediction;

beforeAll(async () => {
  [detect, predict] = await Promise.all([openDetection(), loadFastText()]);
});

/** The share of sentences that are taken for `language`. */
const recognised = (sentences: string[], language: string) =>
  detect(sentences).filter(([best]) => best?.language === language).length / sentences.length;

describe('language detection and fastText itself', () => {
  test('name the same language for at least 999 of 1000 texts, as surely', async () => {
    const texts = (await variedTexts()).filter((text) => preparedText(text) !== null);
    expect(texts.length).toBeGreaterThan(1232);

    const answers = detect(texts).map(([best], index) => {
      const prediction = predict(preparedText(texts[index] ?? '') ?? '');
      const expected = bestOf(prediction);
      const difference = Math.abs((best?.confidence ?? 0) - (prediction.get(best?.language ?? '') ?? 0));
      return { same: best?.language === expected.language, difference };
    });

    const same = answers.filter((answer) => answer.same).length;
    const largestDifference = Math.max(...answers.map((answer) => answer.difference));
    console.info(
      `${same} of ${texts.length} texts agree; probabilities differ by ${largestDifference.toFixed(6)} at most`,
    );
    expect(same / texts.length).toBeGreaterThanOrEqual(0.999);
    expect(largestDifference).toBeLessThan(0.0003);
  });

  test('give every language the same probability', () => {
    const text = 'De huur wordt op de eerste dag van elke maand betaald.';
    const prediction = predict(text);
    const [candidates] = detect([text], 176);

    expect(candidates).toHaveLength(176);
    expect(candidates?.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 4);
    for (const { language, confidence } of candidates ?? []) {
      expect(confidence).toBeCloseTo(prediction.get(language) ?? 0, 3);
    }
  });
});

describe('language detection', () => {
  test('recognises five sentences of six in 91 languages', async () => {
    const sentences = await knownSentences();
    const right = detect(sentences.map(({ text }) => text)).filter(
      ([best], index) => best?.language === sentences[index]?.language,
    );

    expect(new Set(sentences.map(({ language }) => language)).size).toBe(91);
    expect(right.length / sentences.length).toBeGreaterThan(5 / 6);
  });

  test.each(['en', 'es'] as const)('recognises sentences in %s, in capitals too', async (language) => {
    const sentences = (await referenceSentences(language)).slice(0, 500);

    expect(recognised(sentences, language)).toBeGreaterThan(0.97);
    expect(
      recognised(
        sentences.map((text) => text.toUpperCase()),
        language,
      ),
    ).toBeGreaterThan(0.97);
  });

  test('leaves the list empty where a text holds no letter', () => {
    expect(detect(['', ' \n', '1234', '😀', '\ud800', '\0'], 3)).toEqual([[], [], [], [], [], []]);
  });

  test('goes on after a line break, where fastText stops', () => {
    const [afterBreak, onOneLine] = detect(['ok\n¿Dónde está la llave?', 'ok ¿Dónde está la llave?']);

    expect(afterBreak).toEqual(onOneLine);
    expect(afterBreak?.[0]?.language).toBe('es');
  });
});
