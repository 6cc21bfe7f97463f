import * as z from 'zod/mini';
import { lazy } from '../lazy.ts';
import { DAY_SECONDS, flag, number, objectOf, whole } from './section-schema.ts';
import type { SectionSchemas } from './section-source.ts';

const batchingSchema = lazy(() =>
  objectOf({
    mode: z.enum(['auto', 'on', 'off'], { error: 'auto, on or off' }),
    max_rows: whole(1, 1_024),
    max_characters: whole(1, 1_000_000),
    max_wait_ms: number(0, 1_000),
  }),
);

/** All of `admission`. */
export const admissionSchema = lazy(() =>
  objectOf({
    enabled: flag(),
    default_wait_seconds: number(0.1, DAY_SECONDS),
    longest_wait_seconds: number(0.001, DAY_SECONDS),
    standing_wait_percent: number(0, 100),
    overload_wait_percent: number(0, 100),
    standing_after_seconds: number(0, DAY_SECONDS),
    queue_limit: whole(1, 100_000),
    concurrency: whole(1, 16),
    batching: batchingSchema(),
  }),
);

/** Any part of it, as a file, a stage or the environment gives it. */
export const admissionPartSchema = lazy(() =>
  z.partial(z.extend(admissionSchema(), { batching: z.partial(batchingSchema()) })),
);

export type AdmissionJson = z.infer<ReturnType<typeof admissionSchema>>;

export const admissionSchemas: SectionSchemas<AdmissionJson> = { schema: admissionSchema, part: admissionPartSchema };
