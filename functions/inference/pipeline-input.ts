import type { Context } from 'hono';
import * as z from 'zod/mini';
import type { Limits } from '../../shared/config/settings.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { TextTooLongError } from '../../shared/http/errors.ts';
import { keepAlive } from '../../shared/http/keep-alive.ts';
import { readJson } from '../../shared/http/validated.ts';
import { arrayOfTexts } from './array-of-texts.ts';
import { EmptyTextError, MissingTargetLanguageError } from './pipeline-errors.ts';
import { countCharacters } from './text.ts';

const text = z.nullish(z.string('a text'));
const flag = z.nullish(z.boolean('true or false'));

/** What `/pipeline/translate` and its batch share. */
const options = {
  target_language: text,
  source_language: text,
  model_name: text,
  preserve_formatting: flag,
  verify: flag,
  domain: text,
  glossary_id: text,
  formality: text,
  keep_alive: keepAlive,
};

export const translateSchema = z.object({ text, ...options });
export const batchSchema = z.object({ texts: z.nullish(arrayOfTexts()), ...options });
export const detectSchema = z.object({ text, detailed: flag, model_id: text, keep_alive: keepAlive });

/** `/pipeline/translate`, or its batch, checked. */
export interface PipelineTranslateRequest {
  readonly texts: readonly string[];
  readonly source: string;
  readonly target: string;
  readonly model: string | undefined;
  /** Ms, as `LeaseOptions` has it. */
  readonly keepAliveMs: number | undefined;
  /** Options that were given and that nothing here can honour. */
  readonly ignored: readonly string[];
}

/** `/pipeline/detect`, checked. */
export interface PipelineDetectRequest {
  readonly text: string;
  readonly detailed: boolean;
  readonly model: string | undefined;
  /** Ms, as `LeaseOptions` has it. */
  readonly keepAliveMs: number | undefined;
}

/** @throws BadRequestError, EmptyTextError, TextTooLongError, MissingTargetLanguageError */
export async function readTranslate(c: Context<HttpEnv>, limits: Limits): Promise<PipelineTranslateRequest> {
  const body = await readJson(c, translateSchema);
  return { texts: readTexts([body.text ?? ''], limits), ...readOptions(body) };
}

/** @throws BadRequestError, EmptyTextError, TextTooLongError, MissingTargetLanguageError */
export async function readBatch(c: Context<HttpEnv>, limits: Limits): Promise<PipelineTranslateRequest> {
  const body = await readJson(c, batchSchema);
  return { texts: readTexts(body.texts ?? [], limits), ...readOptions(body) };
}

/** @throws BadRequestError, EmptyTextError, TextTooLongError */
export async function readDetect(c: Context<HttpEnv>, limits: Limits): Promise<PipelineDetectRequest> {
  const body = await readJson(c, detectSchema);
  readTexts([body.text ?? ''], limits);
  return {
    text: body.text ?? '',
    detailed: body.detailed ?? false,
    model: body.model_id || undefined,
    keepAliveMs: body.keep_alive,
  };
}

function readTexts(texts: readonly string[], limits: Limits): readonly string[] {
  if (texts.length === 0) throw new EmptyTextError('there is no text');
  if (texts.length > limits.batchTexts) {
    throw new TextTooLongError(`${texts.length} texts are more than the ${limits.batchTexts} of one request`);
  }
  let total = 0;
  texts.forEach((each, index) => {
    const which = texts.length === 1 ? 'the text' : `text ${index + 1}`;
    if (each.trim() === '') throw new EmptyTextError(`${which} is empty`);
    const characters = countCharacters(each);
    if (characters > limits.textCharacters) {
      throw new TextTooLongError(`${which} has ${characters} characters, the limit is ${limits.textCharacters}`);
    }
    total += characters;
  });
  if (texts.length > 1 && total > limits.batchCharacters) {
    throw new TextTooLongError(`the texts have ${total} characters, the limit is ${limits.batchCharacters}`);
  }
  return texts;
}

function readOptions(body: z.infer<typeof batchSchema> | z.infer<typeof translateSchema>) {
  if (!body.target_language) throw new MissingTargetLanguageError('target_language is missing');
  const { domain, glossary_id, formality, verify } = body;
  const unhonoured = { domain, glossary_id, formality, verify };
  return {
    source: body.source_language || 'auto',
    target: body.target_language,
    model: body.model_name || undefined,
    keepAliveMs: body.keep_alive,
    ignored: Object.entries(unhonoured).flatMap(([name, value]) => (value ? [name] : [])),
  };
}
