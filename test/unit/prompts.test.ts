import { describe, expect, test } from 'vitest';
import type { PromptStyle } from '../../shared/repository/manifest.ts';
import { UnsupportedLanguageError } from '../../shared/runtime/errors.ts';
import { MBART50_CODES } from '../../shared/runtime/translation/prompts/mbart50.ts';
import { NLLB_CODES } from '../../shared/runtime/translation/prompts/nllb.ts';
import { createPrompt } from '../../shared/runtime/translation/prompts/registry.ts';
import { END, PAD, pieceId, smallTokenizer } from '../support/small-tokenizer.ts';

const text = [pieceId('▁the'), pieceId('▁rent')];
/** The id of the n-th language token: they come after all pieces. */
const language = (n: number) => pieceId('▁') + 1 + n;

const promptOf = (style: PromptStyle, languageTokens: readonly string[], decoderStartToken = END) =>
  createPrompt(style, { tokenizer: smallTokenizer(languageTokens), endToken: END, decoderStartToken });

describe('the prompt of an opus-mt model', () => {
  test('is the text and its end; the decoder starts with its start token alone', () => {
    const prompt = promptOf('marian', [], PAD);

    expect(prompt.source(text, 'en', 'es')).toEqual([...text, END]);
    expect(prompt.decoder('es')).toEqual([PAD]);
  });

  test('names the target before the text when the vocabulary has a token for it', () => {
    const prompt = promptOf('marian', ['>>es<<', '>>pt<<'], PAD);

    expect(prompt.source(text, 'en', 'es')).toEqual([language(0), ...text, END]);
    expect(prompt.source(text, 'en', 'pt')).toEqual([language(1), ...text, END]);
    expect(prompt.decoder('pt')).toEqual([PAD]);
  });
});

/** The families that name the source before the text and force the target as the first token, as transformers builds both. */
const families = [
  { style: 'm2m100', tokens: ['__en__', '__es__', '__no__', '__tl__'] },
  { style: 'nllb', tokens: ['eng_Latn', 'spa_Latn', 'nob_Latn', 'tgl_Latn'] },
  { style: 'mbart50', tokens: ['en_XX', 'es_XX', 'pt_XX', 'tl_XX'] },
] as const;

describe.each(families)('the prompt of $style', ({ style, tokens }) => {
  const prompt = promptOf(style, tokens);

  test(`is ${tokens[0]} text </s>; the decoder starts with </s> ${tokens[1]}`, () => {
    expect(prompt.source(text, 'en', 'es')).toEqual([language(0), ...text, END]);
    expect(prompt.decoder('es')).toEqual([END, language(1)]);
  });

  test('turns with the direction', () => {
    expect(prompt.source(text, 'es', 'en')).toEqual([language(1), ...text, END]);
    expect(prompt.decoder('en')).toEqual([END, language(0)]);
  });

  test.each(['xx', '', 'the', '▁rent', '</s>', 'constructor', '__proto__', 'en es'])(
    'knows no language %j',
    (unknown) => {
      expect(() => prompt.source(text, unknown, 'es')).toThrow(UnsupportedLanguageError);
      expect(() => prompt.decoder(unknown)).toThrow(UnsupportedLanguageError);
    },
  );

  test('knows no language that its family has and its vocabulary lacks', () => {
    expect(() => prompt.decoder('fr')).toThrow(UnsupportedLanguageError);
  });
});

describe('languages that go by several codes', () => {
  test('Norwegian and Filipino in M2M100', () => {
    const prompt = promptOf('m2m100', ['__no__', '__tl__']);

    expect(['nb', 'no', 'fil', 'tl'].map((code) => prompt.decoder(code)[1])).toEqual([0, 0, 1, 1].map(language));
  });

  test('NLLB’s own codes, for languages without a code of two letters', () => {
    const prompt = promptOf('nllb', ['ceb_Latn', 'zho_Hans', 'zho_Hant']);

    expect(['ceb_Latn', 'zh', 'zh-Hant'].map((code) => prompt.decoder(code)[1])).toEqual([0, 1, 2].map(language));
  });
});

test.each(['marian', 'm2m100', 'nllb', 'mbart50'] as const)(
  'the prompt of %s adds no more tokens to a text than it says',
  (style) => {
    const tokens = ['>>es<<', ...families.flatMap((family) => family.tokens)];
    const prompt = promptOf(style, tokens);

    expect(prompt.source(text, 'en', 'es').length - text.length).toBeLessThanOrEqual(prompt.sourceOverhead);
  },
);

describe('the table of languages', () => {
  const twice = (values: readonly string[]) =>
    [...new Set(values.filter((value, index) => values.indexOf(value) !== index))].sort();

  test('of mBART-50 has its 52 codes, each once', () => {
    const codes = Object.values(MBART50_CODES);

    expect(codes).toHaveLength(52);
    expect(twice(codes)).toEqual([]);
    for (const [short, code] of Object.entries(MBART50_CODES)) expect(code).toMatch(new RegExp(`^${short}_[A-Z]{2}$`));
  });

  test('of NLLB has codes of FLORES-200, twice only for Norwegian and Tagalog', () => {
    const codes = Object.values(NLLB_CODES);

    for (const code of codes) expect(code).toMatch(/^[a-z]{3}_[A-Z][a-z]{3}$/);
    expect(twice(codes)).toEqual(['nob_Latn', 'tgl_Latn']);
  });
});
