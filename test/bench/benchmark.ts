/** The value that meets a target, or any below or above it. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** What one benchmark has found. Keys end in their unit; a ratio is ours / theirs, so below 1 is faster. */
export interface Report {
  readonly figures: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
}

export interface RunOptions {
  /** Rounds that medians are taken over. */
  readonly rounds: number;
  /** Told to whoever waits. */
  readonly onProgress: (line: string) => void;
}

/** Measures both sides of each ratio in one run, in turns. */
export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** Of ratios and of figures; a value without one is reported alone. */
  readonly targets: Readonly<Record<string, Target>>;
  readonly defaultRounds: number;
  run(options: RunOptions): Promise<Report>;
}
