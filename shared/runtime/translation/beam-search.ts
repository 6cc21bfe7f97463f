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
  const { numBeams, isCancelled } = options;
  const all = Array.from({ length: model.rows }, (_, index): Sentence => {
    const beam: Beam = { tokens: [], logProbability: 0, row: index };
    return { index, beams: [beam], finished: [] };
  });
  let running: readonly Sentence[] = all;
  let steps = 0;
  for (;;) {
    running = running.filter(({ index, beams }) => beams.length > 0 && !isCancelled(index));
    if (running.length === 0) break;
    const tokens = selectBeams(model, running);
    const logits = steps === 0 ? model.start(options.prompt) : model.step(tokens);
    steps++;
    for (const sentence of running) advance(sentence, logits, model.vocabularySize, options);
  }
  return { hypotheses: all.map(({ finished }) => finished.slice(0, numBeams)), steps };
}

/** Gives the running beams, and no others, a row each. @returns the last token of each */
function selectBeams(model: StepModel, running: readonly Sentence[]): number[] {
  const beams = running.flatMap((sentence) => sentence.beams);
  const isUnchanged = beams.length === model.rows && beams.every((beam, row) => beam.row === row);
  if (!isUnchanged) model.select(beams.map((beam) => beam.row));
  let row = 0;
  for (const sentence of running) sentence.beams = sentence.beams.map((beam) => ({ ...beam, row: row++ }));
  return beams.map((beam) => beam.tokens.at(-1) as number);
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
