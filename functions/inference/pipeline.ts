import { type Context, Hono } from 'hono';
import type * as z from 'zod/mini';
import type { Limits } from '../../shared/config/settings.ts';
import type { LoadPriority } from '../../shared/host/model-host.ts';
import { limitBody } from '../../shared/http/body-limit.ts';
import type { Clock, HttpEnv } from '../../shared/http/environment.ts';
import type { AcceptWork } from '../../shared/http/rate-limit.ts';
import { takes } from '../../shared/http/validated.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import type { Detect } from './detect-service.ts';
import { tellFallbacks } from './fallback-header.ts';
import { type PipelineMetadata, success } from './pipeline-envelope.ts';
import { TextTooShortError } from './pipeline-errors.ts';
import {
  type batchSchema,
  type detectSchema,
  type PipelineDetectRequest,
  type PipelineTranslateRequest,
  readBatch,
  readDetect,
  readTranslate,
  type translateSchema,
} from './pipeline-input.ts';
import { countCharacters, countWords, workOf } from './text.ts';
import { servingsOf, type TranslatedPassage, type TranslateService } from './translate-service.ts';

/** Candidates that a detailed detection answers with, the best included. */
const candidates = 5;

/** CasaLingua's own routes, under `/pipeline`. */
export function pipelineRoutes(deps: {
  translations: TranslateService;
  detect: Detect;
  catalog: Catalog;
  limits: Limits;
  accept: AcceptWork;
  /** Whether `keep_alive` is obeyed. */
  keepAliveAllowed: boolean;
  clock: Clock;
  version: string;
}) {
  const { translations, detect, catalog, limits, accept, keepAliveAllowed, clock, version } = deps;
  const limited = limitBody(limits.bodyBytes);

  const translate = async (c: Context<HttpEnv>, request: PipelineTranslateRequest, priority: LoadPriority) => {
    await accept(c, workOf(request.texts));
    const passages = await translations.translate({
      passages: request.texts.map((text) => [text]),
      source: request.source,
      target: request.target,
      model: request.model,
      withConfidence: true,
      keepAliveMs: obeyed(request),
      priority,
      signal: c.get('signal'),
      deadline: c.get('deadline'),
    });
    tellFallbacks(c, servingsOf(passages));
    return passages;
  };

  const obeyed = ({ keepAliveMs }: { keepAliveMs: number | undefined }) => (keepAliveAllowed ? keepAliveMs : undefined);
  const disobeyed = ({ keepAliveMs }: { keepAliveMs: number | undefined }) =>
    keepAliveMs !== undefined && !keepAliveAllowed ? ['keep_alive'] : [];

  const seconds = (c: Context<HttpEnv>) => (clock.now() - c.get('startedAt')) / 1000;

  const metadata = (c: Context<HttpEnv>, model: string | null, ignored: readonly string[] = []): PipelineMetadata => ({
    request_id: c.get('requestId'),
    timestamp: new Date(clock.now()).toISOString(),
    version,
    process_time: seconds(c),
    model_used: model,
    ...(ignored.length === 0 ? {} : { ignored }),
  });

  const takesTranslate = takes<z.input<typeof translateSchema>, PipelineTranslateRequest>((c) =>
    readTranslate(c, limits),
  );
  const takesBatch = takes<z.input<typeof batchSchema>, PipelineTranslateRequest>((c) => readBatch(c, limits));
  const takesDetect = takes<z.input<typeof detectSchema>, PipelineDetectRequest>((c) => readDetect(c, limits));

  const detectOne = async (c: Context<HttpEnv>, asked: PipelineDetectRequest) => {
    const { text, detailed, model } = asked;
    await accept(c, workOf([text]));
    const request = {
      texts: [text],
      candidates: detailed ? candidates : 1,
      model,
      keepAliveMs: obeyed(asked),
      signal: c.get('signal'),
      deadline: c.get('deadline'),
    };
    const detections = await detect(request, await untilAborted(catalog.models(), request.signal));
    tellFallbacks(c, [detections.servedBy]);
    const [best, ...others] = detections.texts[0] ?? [];
    if (best === undefined) throw new TextTooShortError('the text holds nothing that a language could be told by');
    const data = {
      text,
      detected_language: best.language,
      confidence: best.confidence,
      ...(detailed ? { alternatives: others } : {}),
    };
    return c.json(success('Language detected', data, metadata(c, detections.servedBy.model, disobeyed(asked))));
  };

  return new Hono<HttpEnv>()
    .post('/translate', limited, takesTranslate, async (c) => {
      const request = c.req.valid('json');
      const [passage] = await translate(c, request, 'interactive');
      const data = passage && translationData(request.texts[0] ?? '', passage, seconds(c));
      const ignored = [...request.ignored, ...disobeyed(request)];
      return c.json(success('Text translated', data, metadata(c, passage?.translatedBy?.model ?? null, ignored)));
    })
    .post('/translate/batch', limited, takesBatch, async (c) => {
      const request = c.req.valid('json');
      const passages = await translate(c, request, 'batch');
      const took = seconds(c);
      const data = {
        translations: passages.map((passage, index) => translationData(request.texts[index] ?? '', passage, took)),
      };
      const models = [...new Set(passages.flatMap(({ translatedBy }) => translatedBy?.model ?? []))];
      const ignored = [...request.ignored, ...disobeyed(request)];
      return c.json(success('Texts translated', data, metadata(c, models.join(', ') || null, ignored)));
    })
    .post('/detect', limited, takesDetect, (c) => detectOne(c, c.req.valid('json')))
    .post('/detect-language', limited, takesDetect, (c) => detectOne(c, c.req.valid('json')));
}

function translationData(text: string, passage: TranslatedPassage, processTime: number) {
  const [translation] = passage.parts;
  const { model = null, primary = null } = passage.translatedBy ?? {};
  const usedFallback = model !== primary;
  return {
    source_text: text,
    translated_text: translation?.text ?? text,
    source_language: passage.source,
    target_language: passage.target,
    confidence: translation?.confidence ?? null,
    model_id: model,
    model_used: model,
    word_count: countWords(text),
    character_count: countCharacters(text),
    detected_language: passage.detected?.language ?? null,
    // There is no verifier: whoever asks for one finds `verify` in the metadata's `ignored`.
    verified: false,
    verification_score: null,
    process_time: processTime,
    used_fallback: usedFallback,
    fallback_model: usedFallback ? model : null,
    primary_model: primary,
  };
}
