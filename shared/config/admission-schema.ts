import * as z from 'zod/mini';
import type { AdmissionSettings } from './admission.ts';
import { DAY_SECONDS, flag, msOf, number, objectOf, whole } from './section-schema.ts';
import type { Section } from './section-source.ts';

const batchingSchema = objectOf({
  mode: z.enum(['auto', 'on', 'off'], { error: 'auto, on or off' }),
  max_rows: whole(1, 1_024),
  max_characters: whole(1, 1_000_000),
  max_wait_ms: number(0, 1_000),
});

/** All of `admission`. */
export const admissionSchema = objectOf({
  enabled: flag(),
  default_wait_seconds: number(0.1, DAY_SECONDS),
  longest_wait_seconds: number(0.001, DAY_SECONDS),
  standing_wait_percent: number(0, 100),
  overload_wait_percent: number(0, 100),
  standing_after_seconds: number(0, DAY_SECONDS),
  queue_limit: whole(1, 100_000),
  concurrency: whole(1, 16),
  batching: batchingSchema,
});

/** Any part of it, as a file, a stage or the environment gives it. */
export const admissionPartSchema = z.partial(z.extend(admissionSchema, { batching: z.partial(batchingSchema) }));

export type AdmissionJson = z.infer<typeof admissionSchema>;

/** What holds where nobody says otherwise; `model-loading.jsonc` says the same, with comments. */
export const admissionDefaults: AdmissionJson = {
  enabled: true,
  default_wait_seconds: 30,
  longest_wait_seconds: 30,
  standing_wait_percent: 50,
  overload_wait_percent: 10,
  standing_after_seconds: 1,
  queue_limit: 1_000,
  concurrency: 2,
  batching: { mode: 'auto', max_rows: 16, max_characters: 1_000, max_wait_ms: 2 },
};

export const admissionSection: Section<AdmissionJson> = {
  name: 'admission',
  schema: admissionSchema,
  part: admissionPartSchema,
  defaults: admissionDefaults,
};

/** In ms. */
export function toAdmissionSettings(json: AdmissionJson): AdmissionSettings {
  return {
    enabled: json.enabled,
    defaultWaitMs: msOf(json.default_wait_seconds),
    longestWaitMs: msOf(json.longest_wait_seconds),
    standingWaitPercent: json.standing_wait_percent,
    overloadWaitPercent: json.overload_wait_percent,
    standingAfterMs: msOf(json.standing_after_seconds),
    queueLimit: json.queue_limit,
    concurrency: json.concurrency,
    batching: {
      mode: json.batching.mode,
      maxRows: json.batching.max_rows,
      maxCharacters: json.batching.max_characters,
      maxWaitMs: json.batching.max_wait_ms,
    },
  };
}
