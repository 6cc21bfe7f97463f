/** How requests that wait for the same model are run together. */
export interface BatchingSettings {
  /** `auto`: where the process serves many requests at once. */
  readonly mode: 'auto' | 'on' | 'off';
  /** Rows of the decoder that one run has at most: texts, times the beams of each. A larger request runs alone. */
  readonly maxRows: number;
  /** Characters of all texts of one run, likewise. */
  readonly maxCharacters: number;
  /** Ms that a free model waits at most for those whom its last run has just answered. */
  readonly maxWaitMs: number;
}

/** The gate in front of the work, in ms. */
export interface AdmissionSettings {
  /** False: nobody is refused; runs still take turns. */
  readonly enabled: boolean;
  /** Ms that a request may wait for its turn, once its model is READY, where its caller gives no deadline. */
  readonly defaultWaitMs: number;
  /** Ms of work before a request, whatever its deadline is. */
  readonly longestWaitMs: number;
  /** Percent of the time that its caller gives, or of `defaultWaitMs`, that a request may wait once its model has had no free moment for `standingAfterMs`. */
  readonly standingWaitPercent: number;
  /** The same where half of all requests are refused, and more: a queue that stands makes all late and nobody quicker. In between is in between. */
  readonly overloadWaitPercent: number;
  readonly standingAfterMs: number;
  /** Requests that may wait for one model. */
  readonly queueLimit: number;
  /** Runs that a model's thread has been given at once; it takes them one by one, and is not idle between them. */
  readonly concurrency: number;
  readonly batching: BatchingSettings;
}
