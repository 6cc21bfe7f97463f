import type { AdmissionSettings } from './admission.ts';
import type { AdmissionJson } from './admission-schema.ts';
import { msOf } from './ms-of.ts';
import type { Section } from './section-source.ts';

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
