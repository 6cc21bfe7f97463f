import type { TextTokenizer } from '../../shared/runtime/text-tokenizer.ts';
import type { Prompt } from '../../shared/runtime/translation/prompts/prompt.ts';

/** Spells: two tokens for each UTF-16 unit beyond ASCII (as byte-level tokenizers have several), one for those within. */
export const spellingTokenizer: TextTokenizer = {
  encode: (text) =>
    Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)).flatMap((unit) =>
      unit < 0x80 ? [unit] : [0x100 + (unit >> 8), 0x200 + (unit & 0xff)],
    ),
  decode(ids) {
    const units: number[] = [];
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index] as number;
      units.push(id < 0x80 ? id : ((id - 0x100) << 8) | ((ids[++index] as number) - 0x200));
    }
    return String.fromCharCode(...units);
  },
  frame: { before: [], after: [] },
  idOf: () => undefined,
};

/** One token before a sentence and one after it. */
export const spellingPrompt: Prompt = {
  sourceOverhead: 2,
  source: (text) => [-1, ...text, -2],
  decoder: () => [-2],
};
