import * as z from 'zod/mini';
import type { CircuitBreakerSettings } from './circuit-breaker.ts';
import { DAY_SECONDS, msOf, number, objectOf, whole } from './section-schema.ts';
import type { Section } from './section-source.ts';

/** All of `circuit_breaker`. */
export const circuitBreakerSchema = objectOf({
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
});

/** Any part of it, as a file, a stage or the environment gives it. */
export const circuitBreakerPartSchema = z.partial(circuitBreakerSchema);

export type CircuitBreakerJson = z.infer<typeof circuitBreakerSchema>;

/** What holds where nobody says otherwise; `model-loading.jsonc` says the same, with comments. */
export const circuitBreakerDefaults: CircuitBreakerJson = {
  rule: 'consecutive',
  failure_threshold: 5,
  reset_timeout: 300,
  window_seconds: 60,
  minimum_calls: 10,
  failure_rate_percent: 50,
  slow_call_rate_percent: 80,
  slow_call_seconds: 5,
  half_open_successes: 2,
  probe_lease_seconds: 60,
  ramp_seconds: 20,
};

export const circuitBreakerSection: Section<CircuitBreakerJson> = {
  name: 'circuit_breaker',
  schema: circuitBreakerSchema,
  part: circuitBreakerPartSchema,
  defaults: circuitBreakerDefaults,
};

/** In ms. */
export function toCircuitBreakerSettings(json: CircuitBreakerJson): CircuitBreakerSettings {
  return {
    rule: json.rule,
    failureThreshold: json.failure_threshold,
    resetMs: msOf(json.reset_timeout),
    windowMs: msOf(json.window_seconds),
    minimumCalls: json.minimum_calls,
    failureRatePercent: json.failure_rate_percent,
    slowCallRatePercent: json.slow_call_rate_percent,
    slowCallMs: msOf(json.slow_call_seconds),
    halfOpenSuccesses: json.half_open_successes,
    probeLeaseMs: msOf(json.probe_lease_seconds),
    rampMs: msOf(json.ramp_seconds),
  };
}
