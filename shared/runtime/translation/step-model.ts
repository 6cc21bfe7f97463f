/**
 * What a search sees of a model: rows of hypotheses that grow by one token per step. Scores are logits, row by row.
 * The real one is `DecoderRun`; searches are proven over pure ones.
 */
export interface StepModel {
  readonly vocabularySize: number;
  /** Rows that are alive now. */
  readonly rows: number;
  /** Feeds the first tokens, the same for each row; logits of the position after the last. [rows * vocabularySize], valid until the next call. */
  start(prompt: readonly number[]): Float32Array;
  /** Appends one token to each row. Same result as `start`. */
  step(tokens: readonly number[]): Float32Array;
  /** Row i becomes what row `rows[i]` was; rows may repeat or be left out. */
  select(rows: readonly number[]): void;
}

/** How a search runs. */
export interface SearchOptions {
  readonly prompt: readonly number[];
  readonly endToken: number;
  /** Tokens that are never generated, e.g. padding. */
  readonly bannedTokens: readonly number[];
  /** Tokens that one row may generate, the end token included. */
  readonly maxNewTokens: readonly number[];
  readonly withConfidence: boolean;
  /** Asked before each step of each row that is still running, by its place at the start: one that nobody wants leaves the batch. */
  readonly isCancelled: (row: number) => boolean;
}

/** A finished sequence without prompt and end token. */
export interface Hypothesis {
  readonly tokens: readonly number[];
  /** Sum of the tokens' log-probabilities, the end token's included; NaN where it was not asked for. */
  readonly logProbability: number;
  /** Tokens that `logProbability` sums over. */
  readonly scoredTokens: number;
}

export interface SearchResult {
  /** One list for each row that the search began with; best first. What a cancelled row has of it means nothing. */
  readonly hypotheses: readonly (readonly Hypothesis[])[];
  /** Steps of the decoder; 0 when every row was cancelled before the first. */
  readonly steps: number;
}
