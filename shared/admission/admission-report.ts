/** Why a request was refused with 429 `OVERLOADED`. */
export type ShedReason =
  /** It cannot be through before its deadline. */
  | 'deadline'
  /** As `deadline`, told before its body was read: not even the smallest request could be. */
  | 'early'
  /** As many wait as may. */
  | 'queue'
  /** It waited, and made way for one of a higher priority. */
  | 'displaced';

/** The middle and the upper end of what was measured of late. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
}

/**
 * The gate at this moment, for health and metrics; counters run since the process began. What it counts as one request is one run
 * of one model: a text whose language is to be found out first makes two.
 */
export interface AdmissionReport {
  /** False: nobody is refused. */
  readonly enabled: boolean;
  /** Requests that models are at work on. */
  readonly inFlight: number;
  /** The most that may be, over all models that were asked so far. */
  readonly limit: number;
  /** Requests that wait for their turn, or for their model. */
  readonly waiting: number;
  /** What the model that is furthest behind has before it; expected ms. */
  readonly workAheadMs: number;
  readonly admitted: number;
  /** Of those admitted: answered, by their deadline if they had one. */
  readonly completed: number;
  /** Of those admitted: their deadline passed. The rest failed, hung up, were displaced, or are under way. */
  readonly missed: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
  /** From the gate to the turn, without the wait for a load; ms. Undefined, like the next two, while nothing has been measured. */
  readonly queueDelayMs: Spread | undefined;
  /** What runs took in their threads; ms. */
  readonly serviceMs: Spread | undefined;
  /** Median of |predicted - real| / real of the service times of late. */
  readonly estimateError: number | undefined;
  /** Runs that carried more than one request, and the requests in them. */
  readonly batches: number;
  readonly batchedRequests: number;
}
