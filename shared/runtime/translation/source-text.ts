import type { TextTokenizer } from '../text-tokenizer.ts';
import type { Prompt } from './prompts/prompt.ts';
import { cutIntoSentences, halve } from './sentences.ts';

/** A part of a text: kept as it is, or the n-th sentence to translate, with what it says. */
export type Part = { readonly keep: string } | { readonly sentence: number; readonly text: string };

export interface SourceTexts {
  /** For each text its parts in order. */
  readonly texts: readonly (readonly Part[])[];
  /** Token ids for the encoder, each at most `maxSourceTokens` long. */
  readonly sentences: readonly (readonly number[])[];
}

export interface Languages {
  readonly source: string;
  readonly target: string;
}

/** Cuts texts into sentences that fit into the encoder. @throws UnsupportedLanguageError */
export function prepareSource(
  texts: readonly string[],
  { source, target }: Languages,
  { tokenizer, prompt, maxSourceTokens }: { tokenizer: TextTokenizer; prompt: Prompt; maxSourceTokens: number },
): SourceTexts {
  const sentences: number[][] = [];
  const room = maxSourceTokens - prompt.sourceOverhead;

  const addSentence = (parts: Part[], text: string): void => {
    const ids = tokenizer.encode(text);
    if (ids.length <= room || isOneCharacter(text)) {
      parts.push({ sentence: sentences.length, text });
      sentences.push(prompt.source(ids.slice(0, room), source, target));
      return;
    }
    const [left, between, right] = halve(text);
    addSentence(parts, left);
    if (between !== '') parts.push({ keep: between });
    addSentence(parts, right);
  };

  const prepared = texts.map((text) => {
    const parts: Part[] = [];
    for (const piece of cutIntoSentences(text, source)) {
      if (piece.translate) addSentence(parts, piece.text);
      else parts.push({ keep: piece.text });
    }
    return parts;
  });
  return { texts: prepared, sentences };
}

/** One character can be two UTF-16 units, and many tokens. */
function isOneCharacter(text: string): boolean {
  return text.length <= 2 && Array.from(text).length < 2;
}
