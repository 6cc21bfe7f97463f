import type { ModelLoadingSettings } from './model-loading.ts';
import type { ModelLoadingJson } from './model-loading-schema.ts';
import { msOf } from './ms-of.ts';
import type { Section } from './section-source.ts';

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
