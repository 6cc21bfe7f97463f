import * as z from 'zod/mini';
import { lazy } from '../lazy.ts';
import { MODEL_ID } from './model-id.ts';
import { DAY_SECONDS, flag, number, objectOf, whole } from './section-schema.ts';
import type { SectionSchemas } from './section-source.ts';

const MOST_MB = 10_000_000;

function ids() {
  const error = 'a model id: lower case letters, digits, . _ -';
  return z.array(z.string({ error }).check(z.regex(MODEL_ID, { error })), { error: 'a list of model ids' });
}

const retry = lazy(() =>
  objectOf({
    max_attempts: whole(1, 20),
    backoff_factor: number(1, 10),
    initial_seconds: number(0, DAY_SECONDS),
    max_seconds: number(0, DAY_SECONDS),
    cooldown_seconds: number(0, DAY_SECONDS),
  }),
);

const memoryProtection = lazy(() =>
  objectOf({
    enabled: flag(),
    minimum_required: z.optional(number(0, MOST_MB)),
    limit_mb: z.optional(number(1, MOST_MB)),
    watermark_percent: number(1, 100),
  }),
);

/** All of `model_loading`: the plan's own JSON. */
export const modelLoadingSchema = lazy(() =>
  objectOf({
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
    retry: retry(),
    memory_protection: memoryProtection(),
    idle_unload_minutes: number(0, 30_000),
    max_unload: whole(0, 1_000),
    sweep_seconds: number(0.1, DAY_SECONDS),
    minimum_residency_seconds: number(0, DAY_SECONDS),
    drain_seconds: number(0, DAY_SECONDS),
    keep_alive_allowed: flag(),
  }),
);

/** Any part of it, as a file, a stage or the environment gives it. */
export const modelLoadingPartSchema = lazy(() =>
  z.partial(
    z.extend(modelLoadingSchema(), { retry: z.partial(retry()), memory_protection: z.partial(memoryProtection()) }),
  ),
);

export type ModelLoadingJson = z.infer<ReturnType<typeof modelLoadingSchema>>;

export const modelLoadingSchemas: SectionSchemas<ModelLoadingJson> = {
  schema: modelLoadingSchema,
  part: modelLoadingPartSchema,
};
