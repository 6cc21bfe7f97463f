import { describe, expect, test } from 'vitest';
import { type BeamOptions, beamSearch } from '../../shared/runtime/translation/beam-search.ts';
import { greedySearch } from '../../shared/runtime/translation/greedy-search.ts';
import { PureStepModel, type Scores, scriptedScores } from '../support/pure-step-model.ts';

const END = 0;
const VOCABULARY = 4;

const options: BeamOptions = {
  prompt: [3],
  endToken: END,
  bannedTokens: [],
  maxNewTokens: [10, 10, 10],
  withConfidence: false,
  isCancelled: () => false,
  numBeams: 2,
  lengthPenalty: 1,
};

/** From each history the probabilities of `</s>`, `1`, `2`, `3`; the end where the table has no line. */
const tableScores =
  (table: Readonly<Record<string, readonly number[]>>): Scores =>
  (_, history) =>
    (table[history.join(' ')] ?? [1, 0, 0, 0]).map((probability) => Math.log(probability));

/** The likeliest first token leads to a worse whole than the second. */
const gardenPath = tableScores({
  '': [0, 0.6, 0.4, 0],
  '1': [0.3, 0.35, 0.35, 0],
  '2': [0.9, 0.1, 0, 0],
});

const search = (scores: Scores, changes: Partial<BeamOptions> = {}) => {
  const model = new PureStepModel(1, VOCABULARY, scores);
  return { model, result: beamSearch(model, { ...options, ...changes }) };
};

describe('beam search', () => {
  test('finds a whole that is better than the one that begins best', () => {
    const greedy = greedySearch(new PureStepModel(1, VOCABULARY, gardenPath), options);
    const { result } = search(gardenPath, { lengthPenalty: 0 });

    expect(greedy.hypotheses[0]?.[0]?.tokens[0]).toBe(1);
    expect(result.hypotheses[0]?.[0]?.tokens).toEqual([2]);
    expect(Math.exp(result.hypotheses[0]?.[0]?.logProbability ?? 0)).toBeCloseTo(0.4 * 0.9, 6);
  });

  test('gives as many hypotheses as beams, best first', () => {
    const { result } = search(gardenPath, { numBeams: 3, lengthPenalty: 0 });

    const probabilities = result.hypotheses[0]?.map(({ logProbability }) => Math.exp(logProbability));
    expect(result.hypotheses[0]?.map(({ tokens }) => tokens)).toEqual([[2], [1, 1], [1, 2]]);
    expect(probabilities?.[0]).toBeCloseTo(0.36, 6);
    expect(probabilities?.[1]).toBeCloseTo(0.21, 6);
  });

  test('prefers long answers with a length penalty above 0, as transformers does', () => {
    // 0.3 for nothing but the end; 0.7 * 0.4 for two tokens and the end is less in all, and more per token.
    const scores = tableScores({ '': [0.3, 0.7, 0, 0], '1': [0, 0.3, 0.3, 0.4] });

    expect(search(scores, { lengthPenalty: 0 }).result.hypotheses[0]?.[0]?.tokens).toEqual([]);
    expect(search(scores, { lengthPenalty: 1 }).result.hypotheses[0]?.[0]?.tokens).toEqual([1, 3]);
  });

  test('counts what has not ended at the limit as it stands', () => {
    const scores = tableScores({ '': [0, 0.7, 0.3, 0], '1': [0, 1, 0, 0], '2': [0, 0, 1, 0] });

    const { result } = search(scores, { maxNewTokens: [2] });

    expect(result.hypotheses[0]?.map(({ tokens }) => tokens)).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(result.hypotheses[0]?.map(({ scoredTokens }) => scoredTokens)).toEqual([2, 2]);
  });

  test('starts with one row for a sentence, goes on with a row for each beam, and lets go of sentences that are done', () => {
    const scripts = [[1, END], [2, 2, 2, 2, END], [END]];
    const model = new PureStepModel(3, VOCABULARY, scriptedScores(scripts, VOCABULARY));

    const { hypotheses } = beamSearch(model, options);

    expect(hypotheses.map(([best]) => best?.tokens)).toEqual([[1], [2, 2, 2, 2], []]);
    expect(model.rowsPerCall[0]).toBe(3);
    expect(model.rowsPerCall[1]).toBe(6);
    expect(model.rowsPerCall.at(-1)).toBe(2);
  });

  test('stops when no beam that still runs can beat the worst of those that are finished', () => {
    const { result } = search(tableScores({ '': [0.9, 0.1, 0, 0], '1': [0.98, 0.02, 0, 0], '1 1': [0, 1, 0, 0] }));

    expect(result.hypotheses[0]?.map(({ tokens }) => tokens)).toEqual([[], [1]]);
    expect(result.steps).toBe(2);
  });

  test('never takes a banned token', () => {
    const { result } = search(tableScores({ '': [0, 0.1, 0.9, 0] }), { bannedTokens: [2] });

    expect(result.hypotheses[0]?.[0]?.tokens).toEqual([1]);
    expect(result.hypotheses[0]?.[0]?.logProbability).toBeCloseTo(0, 6);
  });

  test('asks before every step whether it is still wanted, and lets go of what is not', () => {
    const model = new PureStepModel(
      2,
      VOCABULARY,
      scriptedScores(
        [
          [1, 1, 1, 1, 1, END],
          [2, 2, END],
        ],
        VOCABULARY,
      ),
    );
    const isCancelled = (sentence: number) => sentence === 0 && model.rowsPerCall.length === 2;

    const { hypotheses } = beamSearch(model, { ...options, isCancelled });

    expect(hypotheses[1]?.[0]?.tokens).toEqual([2, 2]);
    expect(model.rowsPerCall.slice(0, 3)).toEqual([2, 4, 2]);
  });

  test('never shows the model what was cancelled before the start, and does nothing when that is all', () => {
    const model = new PureStepModel(
      2,
      VOCABULARY,
      scriptedScores(
        [
          [1, END],
          [2, END],
        ],
        VOCABULARY,
      ),
    );
    const { hypotheses } = beamSearch(model, { ...options, isCancelled: (sentence) => sentence === 0 });
    expect(hypotheses[1]?.[0]?.tokens).toEqual([2]);
    expect(model.rowsPerCall[0]).toBe(1);

    const unwanted = new PureStepModel(1, VOCABULARY, scriptedScores([[END]], VOCABULARY));
    expect(beamSearch(unwanted, { ...options, isCancelled: () => true }).steps).toBe(0);
    expect(unwanted.rowsPerCall).toEqual([]);
  });
});
