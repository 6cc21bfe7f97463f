import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutIntoSentences, halve } from '../../shared/runtime/translation/sentences.ts';
import { prepareSource } from '../../shared/runtime/translation/source-text.ts';
import { spellingPrompt, spellingTokenizer } from '../support/spelling-tokenizer.ts';

/** Any string: every plane, lone surrogates, and what sentences are made of more often than chance would have it. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        'Tom',
        ' ',
        '. ',
        '\n',
        '\r\n',
        '\r',
        '…',
        ', ',
        '12.5',
        '🏠',
        '。',
        '\u00a0',
        '\u2028',
        '-',
        '- ',
        '1. ',
        '> ',
      ),
      {
        maxLength: 60,
      },
    )
    .map((parts) => parts.join('')),
);
const anyLanguage = fc.constantFrom('en', 'es', 'zh', 'auto', 'eng_Latn');

describe('cutting any text', () => {
  test('loses nothing: joined, the pieces are the text', () => {
    fc.assert(
      fc.property(anyText, anyLanguage, (text, language) => {
        expect(cutIntoSentences(text, language).map((piece) => piece.text)).toSatisfy(
          (pieces: string[]) => pieces.join('') === text,
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('gives sentences that hold a letter, no line break, and no white space around', () => {
    fc.assert(
      fc.property(anyText, anyLanguage, (text, language) => {
        for (const piece of cutIntoSentences(text, language)) {
          expect(piece.translate).toBe(/\p{L}/u.test(piece.text));
          if (!piece.translate) continue;
          expect(piece.text).toBe(piece.text.trim());
          expect(piece.text).not.toMatch(/[\r\n\u2028\u2029]/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('halving any sentence of two characters or more', () => {
  test('loses nothing, gives two shorter halves, and keeps nothing but white space between them', () => {
    const sentence = anyText.filter((text) => Array.from(text).length >= 2);
    fc.assert(
      fc.property(sentence, (text) => {
        const [left, between, right] = halve(text);

        expect(left + between + right === text).toBe(true);
        expect(between).toMatch(/^\s*$/);
        expect(left.length).toBeGreaterThan(0);
        expect(right.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('preparing any texts', () => {
  test('never gives the encoder more than it takes, and loses nothing where a character fits', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { maxLength: 4 }),
        anyLanguage,
        fc.integer({ min: 6, max: 40 }),
        (texts, source, maxSourceTokens) => {
          const prepared = prepareSource(
            texts,
            { source, target: 'es' },
            {
              tokenizer: spellingTokenizer,
              prompt: spellingPrompt,
              maxSourceTokens,
            },
          );

          for (const sentence of prepared.sentences) expect(sentence.length).toBeLessThanOrEqual(maxSourceTokens);
          const rebuilt = prepared.texts.map((parts) =>
            parts
              .map((part) =>
                'keep' in part
                  ? part.keep
                  : spellingTokenizer.decode((prepared.sentences[part.sentence] ?? []).slice(1, -1)),
              )
              .join(''),
          );
          expect(rebuilt.map((text, index) => text === texts[index])).toEqual(texts.map(() => true));
        },
      ),
      { numRuns: 500 },
    );
  });
});
