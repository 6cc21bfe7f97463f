import * as z from 'zod/mini';
import { lazy } from '../lazy.ts';
import { DAY_SECONDS, number, objectOf, whole } from './section-schema.ts';
import type { SectionSchemas } from './section-source.ts';

/** All of `circuit_breaker`. */
export const circuitBreakerSchema = lazy(() =>
  objectOf({
    rule: z.enum(['consecutive', 'rate'], { error: 'consecutive or rate' }),
    failure_threshold: whole(1, 1_000_000),
    reset_timeout: number(0.001, DAY_SECONDS),
    window_seconds: number(1, DAY_SECONDS),
    minimum_calls: whole(1, 1_000_000),
    failure_rate_percent: number(1, 100),
    slow_call_rate_percent: number(1, 100),
    slow_call_seconds: number(0.001, DAY_SECONDS),
    half_open_successes: whole(1, 1_000),
    probe_lease_seconds: number(0.1, DAY_SECONDS),
    ramp_seconds: number(0, DAY_SECONDS),
  }),
);

/** Any part of it, as a file, a stage or the environment gives it. */
export const circuitBreakerPartSchema = lazy(() => z.partial(circuitBreakerSchema()));

export type CircuitBreakerJson = z.infer<ReturnType<typeof circuitBreakerSchema>>;

export const circuitBreakerSchemas: SectionSchemas<CircuitBreakerJson> = {
  schema: circuitBreakerSchema,
  part: circuitBreakerPartSchema,
};
