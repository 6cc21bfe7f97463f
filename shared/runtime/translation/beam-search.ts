import { ban, largest, logSumExp } from './logits.ts';
import type { Hypothesis, SearchOptions, SearchResult, StepModel } from './step-model.ts';

export interface BeamOptions extends SearchOptions {
  readonly numBeams: number;
  /** A hypothesis's score is its log-probability divided by its length to this power. */
  readonly lengthPenalty: number;
}

interface Beam {
  readonly tokens: readonly number[];
  readonly logProbability: number;
  /** The model's row that holds it. */
  readonly row: number;
}

interface Candidate {
  readonly beam: Beam;
  readonly token: number;
  readonly logProbability: number;
}

/** One source sentence on its way. */
interface Sentence {
  readonly index: number;
  beams: readonly Beam[];
  finished: Hypothesis[];
}

/**
 * Beam search as transformers has it (`early_stopping: false`): the 2 x beams best continuations of a sentence are
 * looked at; those that end among the first `numBeams` are finished, the best others go on. A sentence is done when no
 * running beam can still beat the worst of its `numBeams` finished ones.
 */
export function beamSearch(model: StepModel, options: BeamOptions): SearchResult {
  const { numBeams, checkCancelled } = options;
  let sentences = Array.from({ length: model.rows }, (_, index): Sentence => {
    const beam: Beam = { tokens: [], logProbability: 0, row: index };
    return { index, beams: [beam], finished: [] };
  });
  const done: Sentence[] = [];
  checkCancelled();
  let logits = model.start(options.prompt);
  let steps = 1;
  for (;;) {
    for (const sentence of sentences) advance(sentence, logits, model.vocabularySize, options);
    done.push(...sentences.filter((sentence) => sentence.beams.length === 0));
    sentences = sentences.filter((sentence) => sentence.beams.length > 0);
    if (sentences.length === 0) break;
    const running = sentences.flatMap((sentence) => sentence.beams);
    selectRows(
      model,
      running.map((beam) => beam.row),
    );
    let row = 0;
    for (const sentence of sentences) sentence.beams = sentence.beams.map((beam) => ({ ...beam, row: row++ }));
    checkCancelled();
    logits = model.step(running.map((beam) => beam.tokens.at(-1) as number));
    steps++;
  }
  done.sort((left, right) => left.index - right.index);
  const hypotheses = done.map(({ finished }) => finished.slice(0, numBeams));
  return { hypotheses, steps };
}

function advance(sentence: Sentence, logits: Float32Array, size: number, options: BeamOptions): void {
  const { numBeams, endToken, lengthPenalty } = options;
  const running: Beam[] = [];
  const candidates = continuations(sentence.beams, logits, size, options);
  candidates.forEach(({ beam, token, logProbability }, rank) => {
    if (token === endToken) {
      if (rank < numBeams) {
        const scoredTokens = beam.tokens.length + 1;
        sentence.finished.push({ tokens: beam.tokens, logProbability, scoredTokens });
      }
    } else if (running.length < numBeams) {
      running.push({ tokens: [...beam.tokens, token], logProbability, row: beam.row });
    }
  });
  const score = (hypothesis: Hypothesis) => normalised(hypothesis, lengthPenalty);
  sentence.finished.sort((left, right) => score(right) - score(left));
  sentence.finished = sentence.finished.slice(0, numBeams);
  const length = running[0]?.tokens.length ?? 0;
  if (length >= (options.maxNewTokens[sentence.index] as number)) {
    // Out of room: what is still running counts as it stands, as a forced end would have it.
    for (const { tokens, logProbability } of running) {
      sentence.finished.push({ tokens, logProbability, scoredTokens: tokens.length });
    }
    sentence.finished.sort((left, right) => score(right) - score(left));
    sentence.beams = [];
    return;
  }
  const best = running[0];
  const worst = sentence.finished[numBeams - 1];
  const isDone =
    best === undefined ||
    (worst !== undefined && score(worst) >= best.logProbability / best.tokens.length ** lengthPenalty);
  sentence.beams = isDone ? [] : running;
}

/** The 2 x numBeams likeliest continuations of a sentence's beams, best first. */
function continuations(beams: readonly Beam[], logits: Float32Array, size: number, options: BeamOptions): Candidate[] {
  const wanted = 2 * options.numBeams;
  const candidates = beams.flatMap((beam) => {
    const offset = beam.row * size;
    ban(logits, offset, options.bannedTokens);
    const base = beam.logProbability - logSumExp(logits, offset, size);
    return largest(logits, offset, size, wanted).map(
      (token): Candidate => ({ beam, token, logProbability: base + (logits[offset + token] as number) }),
    );
  });
  return candidates
    .filter(({ logProbability }) => logProbability > Number.NEGATIVE_INFINITY)
    .sort((left, right) => right.logProbability - left.logProbability)
    .slice(0, wanted);
}

function normalised({ logProbability, scoredTokens }: Hypothesis, lengthPenalty: number): number {
  return logProbability / scoredTokens ** lengthPenalty;
}

function selectRows(model: StepModel, rows: readonly number[]): void {
  const unchanged = rows.length === model.rows && rows.every((row, index) => row === index);
  if (!unchanged) model.select(rows);
}
