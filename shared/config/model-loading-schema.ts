import * as z from 'zod/mini';
import { MODEL_ID } from './model-id.ts';
import type { ModelLoadingSettings } from './model-loading.ts';
import { DAY_SECONDS, flag, msOf, number, objectOf, whole } from './section-schema.ts';
import type { Section } from './section-source.ts';

const MOST_MB = 10_000_000;

function ids() {
  const error = 'a model id: lower case letters, digits, . _ -';
  return z.array(z.string({ error }).check(z.regex(MODEL_ID, { error })), { error: 'a list of model ids' });
}

const retry = objectOf({
  max_attempts: whole(1, 20),
  backoff_factor: number(1, 10),
  initial_seconds: number(0, DAY_SECONDS),
  max_seconds: number(0, DAY_SECONDS),
  cooldown_seconds: number(0, DAY_SECONDS),
});

const memoryProtection = objectOf({
  enabled: flag(),
  minimum_required: z.optional(number(0, MOST_MB)),
  limit_mb: z.optional(number(1, MOST_MB)),
  watermark_percent: number(1, 100),
});

/** All of `model_loading`: the plan's own JSON. */
export const modelLoadingSchema = objectOf({
  strategy: z.enum(['eager', 'lazy', 'on_demand'], { error: 'eager, lazy or on_demand' }),
  preload_models: ids(),
  always_loaded_models: ids(),
  load_timeout: number(0.1, DAY_SECONDS),
  load_stall_seconds: number(0.1, DAY_SECONDS),
  queue_enabled: flag(),
  queue_limit: whole(1, 10_000),
  load_concurrency: whole(1, 64),
  load_permits: whole(0, 1_000),
  cancel_unwanted_loads: flag(),
  retry,
  memory_protection: memoryProtection,
  idle_unload_minutes: number(0, 30_000),
  max_unload: whole(0, 1_000),
  sweep_seconds: number(0.1, DAY_SECONDS),
  minimum_residency_seconds: number(0, DAY_SECONDS),
  drain_seconds: number(0, DAY_SECONDS),
  keep_alive_allowed: flag(),
});

/** Any part of it, as a file, a stage or the environment gives it. */
export const modelLoadingPartSchema = z.partial(
  z.extend(modelLoadingSchema, { retry: z.partial(retry), memory_protection: z.partial(memoryProtection) }),
);

export type ModelLoadingJson = z.infer<typeof modelLoadingSchema>;

/** What holds where nobody says otherwise; `model-loading.jsonc` says the same, with comments. */
export const modelLoadingDefaults: ModelLoadingJson = {
  strategy: 'lazy',
  preload_models: [],
  always_loaded_models: [],
  load_timeout: 300,
  load_stall_seconds: 60,
  queue_enabled: true,
  queue_limit: 16,
  load_concurrency: 1,
  load_permits: 64,
  cancel_unwanted_loads: false,
  retry: { max_attempts: 3, backoff_factor: 2, initial_seconds: 1, max_seconds: 60, cooldown_seconds: 30 },
  memory_protection: { enabled: true, watermark_percent: 95 },
  idle_unload_minutes: 30,
  max_unload: 2,
  sweep_seconds: 60,
  minimum_residency_seconds: 60,
  drain_seconds: 30,
  keep_alive_allowed: true,
};

export const modelLoadingSection: Section<ModelLoadingJson> = {
  name: 'model_loading',
  schema: modelLoadingSchema,
  part: modelLoadingPartSchema,
  defaults: modelLoadingDefaults,
};

/** In the units that the host works with. */
export function toModelLoadingSettings(json: ModelLoadingJson): ModelLoadingSettings {
  return {
    strategy: json.strategy,
    preloadModels: [...new Set(json.preload_models)],
    alwaysLoadedModels: [...new Set(json.always_loaded_models)],
    loadTimeoutMs: msOf(json.load_timeout),
    loadStallMs: msOf(json.load_stall_seconds),
    queueEnabled: json.queue_enabled,
    queueLimit: json.queue_limit,
    loadConcurrency: json.load_concurrency,
    loadPermits: json.load_permits,
    cancelUnwantedLoads: json.cancel_unwanted_loads,
    retry: {
      maxAttempts: json.retry.max_attempts,
      backoffFactor: json.retry.backoff_factor,
      initialMs: msOf(json.retry.initial_seconds),
      maxMs: msOf(json.retry.max_seconds),
      cooldownMs: msOf(json.retry.cooldown_seconds),
    },
    memoryProtection: {
      enabled: json.memory_protection.enabled,
      minimumRequiredMb: json.memory_protection.minimum_required,
      limitMb: json.memory_protection.limit_mb,
      watermarkPercent: json.memory_protection.watermark_percent,
    },
    idleUnloadMs: msOf(json.idle_unload_minutes * 60),
    maxUnload: json.max_unload,
    sweepIntervalMs: msOf(json.sweep_seconds),
    minimumResidencyMs: msOf(json.minimum_residency_seconds),
    drainTimeoutMs: msOf(json.drain_seconds),
    keepAliveAllowed: json.keep_alive_allowed,
  };
}
