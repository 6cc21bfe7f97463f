import type { RetrySettings } from '../config/model-loading.ts';

/**
 * Ms until the attempt after `attempts` failed ones: exponential, with full jitter so that instances that failed together
 * do not come back together.
 * @param random 0 up to 1
 */
export function backoffMs(settings: RetrySettings, attempts: number, random: number): number {
  const { initialMs, backoffFactor, maxMs } = settings;
  return random * Math.min(maxMs, initialMs * backoffFactor ** (attempts - 1));
}

/** Factors of growth that a cooldown takes at most. */
const COOLDOWN_GROWTHS = 4;

/** Ms for which a model is left alone after `series` series of attempts in a row that failed. */
export function cooldownMs({ cooldownMs, backoffFactor }: RetrySettings, series: number): number {
  return cooldownMs * backoffFactor ** Math.min(series - 1, COOLDOWN_GROWTHS);
}
