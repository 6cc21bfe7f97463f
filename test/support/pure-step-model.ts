import type { StepModel } from '../../shared/runtime/translation/step-model.ts';

/** Logits of the next token, given what has been generated for a sentence so far. */
export type Scores = (sentence: number, history: readonly number[]) => readonly number[];

interface Row {
  readonly sentence: number;
  readonly history: readonly number[];
}

/**
 * A model that is a function: what it answers hangs on a row's whole history, so a search that mixes rows up cannot tell
 * its hypotheses' true probabilities. Like the real one it answers with a view that the next call makes worthless.
 */
export class PureStepModel implements StepModel {
  readonly vocabularySize: number;
  /** Rows that `start` and each `step` were asked for. */
  readonly rowsPerCall: number[] = [];
  /** What `start` was given. */
  prompt: readonly number[] | undefined;
  readonly #scores: Scores;
  #rows: readonly Row[];
  #view = new Float32Array(0);

  constructor(sentences: number, vocabularySize: number, scores: Scores) {
    this.vocabularySize = vocabularySize;
    this.#scores = scores;
    this.#rows = Array.from({ length: sentences }, (_, sentence) => ({ sentence, history: [] }));
  }

  get rows(): number {
    return this.#rows.length;
  }

  start(prompt: readonly number[]): Float32Array {
    if (this.prompt !== undefined) throw new Error('started twice');
    this.prompt = prompt;
    return this.#answer();
  }

  step(tokens: readonly number[]): Float32Array {
    if (this.prompt === undefined) throw new Error('not started');
    if (tokens.length !== this.rows) throw new Error(`${tokens.length} tokens for ${this.rows} rows`);
    this.#rows = this.#rows.map(({ sentence, history }, row) => ({
      sentence,
      history: [...history, tokens[row] as number],
    }));
    return this.#answer();
  }

  select(rows: readonly number[]): void {
    this.#rows = rows.map((row) => {
      const selected = this.#rows[row];
      if (selected === undefined) throw new Error(`there is no row ${row}`);
      return selected;
    });
    this.#view.fill(Number.NaN);
  }

  #answer(): Float32Array {
    this.#view.fill(Number.NaN);
    this.#view = Float32Array.from(this.#rows.flatMap(({ sentence, history }) => this.#scores(sentence, history)));
    this.rowsPerCall.push(this.rows);
    return this.#view;
  }
}

/** A model with logits that look random, the same for the same seed. */
export function randomScores(seed: number, vocabularySize: number): Scores {
  return (sentence, history) =>
    Array.from({ length: vocabularySize }, (_, token) => {
      const mixed = [sentence, ...history, -1, token].reduce(
        (hash, value) => Math.imul(hash ^ (value + 0x9e3779b9), 0x85ebca6b) ^ (hash >>> 13),
        seed ^ 0x27d4eb2f,
      );
      return (((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32) * 6 - 3;
    });
}

/** A model that says each sentence's script, token by token, all but surely. */
export function scriptedScores(scripts: readonly (readonly number[])[], vocabularySize: number): Scores {
  return (sentence, history) =>
    Array.from({ length: vocabularySize }, (_, token) => (token === scripts[sentence]?.[history.length] ? 10 : 0));
}

/** The log-probability of tokens that follow each other, over the tokens that are not banned. */
export function logProbabilityOf(
  scores: Scores,
  sentence: number,
  tokens: readonly number[],
  banned: readonly number[] = [],
): number {
  return tokens.reduce((sum, token, position) => {
    const logits = scores(sentence, tokens.slice(0, position)).map(Math.fround);
    const total = logits.reduce((all, logit, other) => (banned.includes(other) ? all : all + Math.exp(logit)), 0);
    return sum + (logits[token] as number) - Math.log(total);
  }, 0);
}
