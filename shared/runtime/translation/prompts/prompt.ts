import { UnsupportedLanguageError } from '../../errors.ts';
import type { TextTokenizer } from '../../text-tokenizer.ts';

/** How a family of models is told the languages. */
export interface Prompt {
  /** Token ids of a source sentence as the encoder wants them, given the ids of its text. */
  source(text: readonly number[], source: string, target: string): number[];
  /** What the decoder starts with: the start token and, where the family has one, the forced first token. */
  decoder(target: string): number[];
  /** Tokens that `source` adds to a text's own. */
  readonly sourceOverhead: number;
}

export interface PromptParts {
  readonly tokenizer: TextTokenizer;
  readonly endToken: number;
  readonly decoderStartToken: number;
}

/** @throws UnsupportedLanguageError when the family has no code for the language or the vocabulary no such token */
export function languageToken(tokenizer: TextTokenizer, language: string, code: string | undefined): number {
  const token = code === undefined ? undefined : tokenizer.idOf(code);
  if (token === undefined) throw new UnsupportedLanguageError(`this model has no language ${JSON.stringify(language)}`);
  return token;
}

/**
 * The families that name the source language before the text and force the target language as the first token:
 * `[source] text </s>` and `[start, target]`. They differ in the codes alone.
 */
export function languagePrefixPrompt(parts: PromptParts, codeOf: (language: string) => string | undefined): Prompt {
  const { tokenizer, endToken, decoderStartToken } = parts;
  const token = (language: string) => languageToken(tokenizer, language, codeOf(language));
  return {
    sourceOverhead: 2,
    source: (text, source) => [token(source), ...text, endToken],
    decoder: (target) => [decoderStartToken, token(target)],
  };
}
