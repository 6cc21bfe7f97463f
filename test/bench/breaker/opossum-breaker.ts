import { createRequire } from 'node:module';

/** The part of opossum that is measured. */
interface OpossumBreaker {
  fire(): Promise<number>;
  open(): void;
}
type OpossumConstructor = new (
  call: () => Promise<number>,
  options: Readonly<Record<string, unknown>>,
) => OpossumBreaker;

const CircuitBreaker = createRequire(import.meta.url)('opossum') as OpossumConstructor;

/**
 * opossum with its defaults but for two things in its favour: no timer for each call, which the others do not have either,
 * and no percentiles, which it would sort anew at every failure.
 */
export function createOpossum(
  call: () => Promise<number>,
  state: 'closed' | 'open' | 'never opens',
  resetMs: number,
): () => Promise<number> {
  const breaker = new CircuitBreaker(call, {
    timeout: false,
    rollingPercentilesEnabled: false,
    resetTimeout: resetMs,
    ...(state === 'never opens' ? { volumeThreshold: Number.MAX_SAFE_INTEGER } : {}),
  });
  if (state === 'open') breaker.open();
  return () => breaker.fire();
}
