import * as z from 'zod/mini';
import { count, maybeText, name, share } from './named.ts';

const detectedLanguage = name(
  'DetectedLanguage',
  z.object({ language: z.string(), confidence: z.number().check(z.gte(0), z.lte(100)) }),
  'Confidence in percent.',
);

export const libreTranslation = name(
  'LibreTranslation',
  z.object({
    translatedText: z.union([z.string(), z.array(z.string())]),
    detectedLanguage: z.optional(z.union([z.nullable(detectedLanguage), z.array(z.nullable(detectedLanguage))])),
    alternatives: z.optional(z.union([z.array(z.string()), z.array(z.array(z.string()))])),
  }),
  'Arrays where `q` was an array. `detectedLanguage` with `source: auto`; null where a text holds nothing to judge by.',
);
export const libreDetections = name('LibreDetections', z.array(detectedLanguage), 'Best first.');
export const libreLanguages = name(
  'LibreLanguages',
  z.array(z.object({ code: z.string(), name: z.string(), targets: z.array(z.string()) })),
);

const metadata = name(
  'PipelineMetadata',
  z.object({
    request_id: z.string(),
    timestamp: z.iso.datetime(),
    version: z.string(),
    process_time: z.number().check(z.gte(0)),
    model_used: maybeText,
    ignored: z.optional(z.array(z.string())),
  }),
  '`process_time` in seconds; `ignored`: what was asked for and no model here can honour.',
);

const translationData = name(
  'PipelineTranslation',
  z.object({
    source_text: z.string(),
    translated_text: z.string(),
    source_language: z.string(),
    target_language: z.string(),
    confidence: z.nullable(share),
    model_id: maybeText,
    model_used: maybeText,
    word_count: count,
    character_count: count,
    detected_language: maybeText,
    verified: z.boolean(),
    verification_score: z.nullable(z.number()),
    process_time: z.number().check(z.gte(0)),
    used_fallback: z.boolean(),
    fallback_model: maybeText,
    primary_model: maybeText,
  }),
);

const envelope = <Data extends z.ZodMiniType>(data: Data) =>
  z.object({ status: z.literal('success'), message: z.string(), data, metadata });

export const pipelineTranslated = name('PipelineTranslated', envelope(translationData));
export const pipelineBatch = name(
  'PipelineTranslatedBatch',
  envelope(z.object({ translations: z.array(translationData) })),
);
export const pipelineDetected = name(
  'PipelineDetected',
  envelope(
    z.object({
      text: z.string(),
      detected_language: z.string(),
      confidence: share,
      alternatives: z.optional(z.array(z.object({ language: z.string(), confidence: share }))),
    }),
  ),
);
