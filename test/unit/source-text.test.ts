import { describe, expect, test } from 'vitest';
import { prepareSource } from '../../shared/runtime/translation/source-text.ts';
import { spellingPrompt, spellingTokenizer } from '../support/spelling-tokenizer.ts';

const prepare = (texts: readonly string[], maxSourceTokens: number) =>
  prepareSource(
    texts,
    { source: 'en', target: 'es' },
    { tokenizer: spellingTokenizer, prompt: spellingPrompt, maxSourceTokens },
  );

/** What is translated in [brackets], text by text. */
const marked = (texts: readonly string[], maxSourceTokens: number) => {
  const { texts: parts, sentences } = prepare(texts, maxSourceTokens);
  const spelled = (sentence: number) => spellingTokenizer.decode((sentences[sentence] ?? []).slice(1, -1));
  return parts.map((text) => text.map((part) => ('keep' in part ? part.keep : `[${spelled(part.sentence)}]`)).join(''));
};

describe('preparing texts for the encoder', () => {
  test('makes a sentence of each sentence, with the prompt around it', () => {
    const { texts, sentences } = prepare(['Hi. Ho.', 'Yo.'], 10);

    expect(texts).toEqual([
      [{ sentence: 0, text: 'Hi.' }, { keep: ' ' }, { sentence: 1, text: 'Ho.' }],
      [{ sentence: 2, text: 'Yo.' }],
    ]);
    expect(sentences[0]).toEqual([-1, 72, 105, 46, -2]);
  });

  test('keeps what holds no letter', () => {
    expect(prepare(['12:30\n', ''], 10)).toEqual({ texts: [[{ keep: '12:30' }, { keep: '\n' }], []], sentences: [] });
  });

  test('halves what is too long until it fits, prompt included', () => {
    expect(marked(['one two, three four'], 21)).toEqual(['[one two, three four]']);
    expect(marked(['one two, three four'], 20)).toEqual(['[one two,] [three four]']);
    expect(marked(['one two, three four'], 11)).toEqual(['[one two,] [three] [four]']);
  });

  test('comes to an end for 10,000 characters without a space', () => {
    const { sentences } = prepare(['a'.repeat(10_000)], 250);

    expect(sentences.reduce((sum, sentence) => sum + sentence.length - 2, 0)).toBe(10_000);
    expect(Math.max(...sentences.map((sentence) => sentence.length))).toBeLessThanOrEqual(250);
  });

  test('cuts off a single character that is more tokens than the encoder takes', () => {
    // A letter of the second plane: two UTF-16 units, four tokens here.
    expect(prepare(['𝒜'], 5).sentences.map((sentence) => sentence.length)).toEqual([5]);
  });
});
