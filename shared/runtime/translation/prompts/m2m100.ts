import { languagePrefixPrompt, type Prompt, type PromptParts } from './prompt.ts';

/** Codes that differ from ISO 639-1 in M2M100's vocabulary. */
const SPECIAL: Readonly<Record<string, string>> = { nb: 'no', fil: 'tl' };

/** M2M100: `__en__ text </s>`, decoder `</s> __es__`. */
export function m2m100Prompt(parts: PromptParts): Prompt {
  return languagePrefixPrompt(parts, (language) => `__${SPECIAL[language] ?? language.toLowerCase()}__`);
}
