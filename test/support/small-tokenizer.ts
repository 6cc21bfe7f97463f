import { createTextTokenizer, type TextTokenizer } from '../../shared/runtime/text-tokenizer.ts';

/** Ids of the special tokens that every model of these families has. */
export const START = 0;
export const PAD = 1;
export const END = 2;
export const UNKNOWN = 3;

const SPECIAL = ['<s>', '<pad>', '</s>', '<unk>'];
const PIECES = ['▁the', '▁rent', '▁is', '▁due', '.', 'd', 'u', 'e', '▁'];

/** The id of one of the vocabulary's pieces, e.g. `▁rent`. */
export function pieceId(piece: string): number {
  return SPECIAL.length + PIECES.indexOf(piece);
}

/**
 * A `tokenizer.json` as those of M2M100, NLLB and mBART-50 are: a Unigram vocabulary, then the languages as added
 * special tokens, and a template that would put tokens around a text.
 */
export function smallTokenizerDefinition(languageTokens: readonly string[] = []) {
  const added = [...SPECIAL, ...languageTokens].map((content, index) => ({
    id: index < SPECIAL.length ? index : index + PIECES.length,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true, prepend_scheme: 'always' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
      special_tokens: { '</s>': { id: '</s>', ids: [END], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', add_prefix_space: true, prepend_scheme: 'always' },
    model: {
      type: 'Unigram',
      unk_id: UNKNOWN,
      vocab: [...SPECIAL.map((token) => [token, 0]), ...PIECES.map((piece) => [piece, -1 / piece.length])],
      byte_fallback: false,
    },
  };
}

/** The real library over that small definition. */
export function smallTokenizer(languageTokens: readonly string[] = []): TextTokenizer {
  return createTextTokenizer(smallTokenizerDefinition(languageTokens), { unk_token: '<unk>', eos_token: '</s>' });
}
