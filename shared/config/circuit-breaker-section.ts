import type { CircuitBreakerSettings } from './circuit-breaker.ts';
import type { CircuitBreakerJson } from './circuit-breaker-schema.ts';
import { msOf } from './ms-of.ts';
import type { Section } from './section-source.ts';

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
