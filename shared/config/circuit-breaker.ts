/** What opens a breaker: so many failures in a row, or their share (or that of slow calls) of the calls of late. */
export type BreakerRule = 'consecutive' | 'rate';

/** The plan's `circuit_breaker`, in ms. */
export interface CircuitBreakerSettings {
  readonly rule: BreakerRule;
  /** Failures in a row; under `consecutive`. */
  readonly failureThreshold: number;
  /** Ms for which an open breaker refuses everything, before a probe. */
  readonly resetMs: number;
  /** Ms of the past that count; under `rate`, like the next four. */
  readonly windowMs: number;
  /** Calls in the window before their shares mean anything. */
  readonly minimumCalls: number;
  /** Percent of the calls. */
  readonly failureRatePercent: number;
  /** Percent of the calls. */
  readonly slowCallRatePercent: number;
  /** Ms from which a call is slow; under any rule a deadline that passes earlier in a run says nothing of the model. */
  readonly slowCallMs: number;
  /** Probes that must succeed, one after the other. */
  readonly halfOpenSuccesses: number;
  /** Ms after which a probe that nobody reported makes way for another. */
  readonly probeLeaseMs: number;
  /** Ms in which the calls come back: 10, 25, 50 and 100 %, a quarter of the time each; 0: all at once. */
  readonly rampMs: number;
}
