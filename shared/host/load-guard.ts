import type { BreakerOpenError } from '../breaker/errors.ts';
import type { JudgeFailure } from '../breaker/guard.ts';
import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import type { FleetBreakers } from '../fleet/breaker/fleet-breakers.ts';
import { guardFleet } from '../fleet/breaker/fleet-guard.ts';
import { type Manifest, modelKey } from '../repository/manifest.ts';

/** Stands before every attempt to load a version. */
export interface LoadGuard {
  /** Why an attempt would be refused at this moment; undefined while one may be made. */
  refusal(manifest: Manifest): BreakerOpenError | undefined;
  /** Makes one attempt, if it may be made. @throws BreakerOpenError with when to try again, or what the attempt throws */
  run<T>(manifest: Manifest, attempt: () => Promise<T>, judge: JudgeFailure): Promise<T>;
}

/**
 * For breakers before loads. A load that succeeded serves all requests to come, so that one is proof enough, and there may be
 * no second for hours; how long a load takes is the host's to judge.
 */
export function loadBreakerSettings(settings: CircuitBreakerSettings, loadTimeoutMs: number): CircuitBreakerSettings {
  return {
    ...settings,
    slowCallMs: Number.POSITIVE_INFINITY,
    halfOpenSuccesses: 1,
    probeLeaseMs: Math.max(settings.probeLeaseMs, loadTimeoutMs),
    rampMs: 0,
  };
}

/** A breaker of the fleet for each version, e.g. `load translate-en-es@1.0.0`. */
export function createLoadGuard(breakers: FleetBreakers, settings: CircuitBreakerSettings): LoadGuard {
  const breakerOf = (manifest: Manifest) => {
    const model = modelKey(manifest);
    return breakers.get(`load ${model}`, settings, model);
  };
  return {
    refusal(manifest) {
      const breaker = breakerOf(manifest);
      return breaker.refuses() ? breaker.refusal() : undefined;
    },
    // The host sees to it that an attempt ends.
    run: (manifest, attempt, judge) => guardFleet(breakerOf(manifest), attempt, judge),
  };
}
