/** The part of cockatiel that is measured; the package itself comes with the first run of a benchmark. */
declare module 'cockatiel' {
  export const handleAll: unknown;
  export class ConsecutiveBreaker {
    constructor(threshold: number);
  }
  export function circuitBreaker(
    policy: unknown,
    options: { halfOpenAfter: number; breaker: ConsecutiveBreaker },
  ): { execute<T>(call: () => Promise<T>): Promise<T> };
}
