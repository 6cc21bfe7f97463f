import type { PromptStyle } from '../../../repository/manifest.ts';
import { m2m100Prompt } from './m2m100.ts';
import { marianPrompt } from './marian.ts';
import { mbart50Prompt } from './mbart50.ts';
import { nllbPrompt } from './nllb.ts';
import type { Prompt, PromptParts } from './prompt.ts';

/** A family more is a file more, and a line here. */
const PROMPTS: Readonly<Record<PromptStyle, (parts: PromptParts) => Prompt>> = {
  marian: marianPrompt,
  m2m100: m2m100Prompt,
  nllb: nllbPrompt,
  mbart50: mbart50Prompt,
};

export function createPrompt(style: PromptStyle, parts: PromptParts): Prompt {
  return PROMPTS[style](parts);
}
