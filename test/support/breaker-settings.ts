import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';

/** The defaults, but for `changes`. */
export function breakerSettings(changes: Partial<CircuitBreakerSettings> = {}): CircuitBreakerSettings {
  return {
    rule: 'consecutive',
    failureThreshold: 5,
    resetMs: 300_000,
    windowMs: 60_000,
    minimumCalls: 10,
    failureRatePercent: 50,
    slowCallRatePercent: 80,
    slowCallMs: 5_000,
    halfOpenSuccesses: 2,
    probeLeaseMs: 60_000,
    rampMs: 20_000,
    ...changes,
  };
}
