/** How the instances of a fleet run: `process` serves many requests at once and never sleeps, `lambda` one, and freezes after it. */
export const instanceKinds = ['process', 'lambda'] as const;
/** `faulty`: 1 % of the store's answers, of calls to it, and of writes that come late, are lost; 10 % of the reads are stale. */
export const networks = ['clean', 'faulty'] as const;

/** One history to be played. */
export interface Trouble {
  readonly seed: number;
  /** Each has one request a second. */
  readonly instances: number;
  readonly kind: (typeof instanceKinds)[number];
  readonly network: (typeof networks)[number];
}

/** What came of it. */
export interface Outcome {
  /** From the first failing call on until 99 % of the requests of one second were refused; the end of that second. */
  readonly openSeconds: number;
  /** From the first failing call on until the store said so. */
  readonly tripSeconds: number;
  /** Calls that failed before all instances refused. */
  readonly failedCalls: number;
  /** Writes of breakers, tried ones included, in the second that had most of them. */
  readonly writesPerSecond: number;
  /** The same of reads. */
  readonly readsPerSecond: number;
  /** Reads in a second before anything failed, on average. */
  readonly healthyReadsPerSecond: number;
  /** Before anything failed, and after all was well again. */
  readonly healthyWrites: number;
  /** All writes of breakers, by the name of the step. */
  readonly writes: Readonly<Record<string, number>>;
  /** Calls in one open period by instances that knew of it, less takeovers in it; of all periods the most. */
  readonly probesPerOpen: number;
  readonly takeovers: number;
  /** Open periods, the failed probe's included. */
  readonly openings: number;
  /** From the end of the last open time until 99 % of the requests of one second were served. */
  readonly servedSeconds: number;
  /** From the same moment until all instances and the store were CLOSED. */
  readonly closedSeconds: number;
  /** The digest's, as the store counts them, at its largest, with this one breaker in it. */
  readonly digestBytes: number;
}
