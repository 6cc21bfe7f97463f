import type { Prompt, PromptParts } from './prompt.ts';

/**
 * opus-mt (MarianMT): `text </s>`; a model with several target languages is told by a token such as `>>es<<` before the
 * text, when its vocabulary has one.
 */
export function marianPrompt({ tokenizer, endToken, decoderStartToken }: PromptParts): Prompt {
  return {
    sourceOverhead: 2,
    source: (text, _source, target) => {
      const marker = tokenizer.idOf(`>>${target}<<`);
      return marker === undefined ? [...text, endToken] : [marker, ...text, endToken];
    },
    decoder: () => [decoderStartToken],
  };
}
