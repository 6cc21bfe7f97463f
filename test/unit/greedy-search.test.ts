import { describe, expect, test } from 'vitest';
import { greedySearch } from '../../shared/runtime/translation/greedy-search.ts';
import type { SearchOptions } from '../../shared/runtime/translation/step-model.ts';
import { PureStepModel, scriptedScores } from '../support/pure-step-model.ts';

const END = 0;
const VOCABULARY = 6;

const options: SearchOptions = {
  prompt: [5],
  endToken: END,
  bannedTokens: [],
  maxNewTokens: [10, 10, 10],
  withConfidence: false,
  isCancelled: () => false,
};

const modelOf = (...scripts: number[][]) =>
  new PureStepModel(scripts.length, VOCABULARY, scriptedScores(scripts, VOCABULARY));

const tokensOf = (result: ReturnType<typeof greedySearch>) =>
  result.hypotheses.map((hypotheses) => hypotheses.map(({ tokens }) => tokens));

describe('greedy search', () => {
  test('takes the likeliest token until the end token, which is not part of the answer', () => {
    const result = greedySearch(modelOf([3, 1, 4, END]), options);

    expect(tokensOf(result)).toEqual([[[3, 1, 4]]]);
    expect(result.steps).toBe(4);
    expect(result.hypotheses[0]?.[0]?.scoredTokens).toBe(4);
  });

  test('starts with the prompt, which is not part of the answer either', () => {
    const model = modelOf([END]);

    expect(tokensOf(greedySearch(model, { ...options, prompt: [5, 2] }))).toEqual([[[]]]);
    expect(model.prompt).toEqual([5, 2]);
  });

  test('answers each sentence in its place, and the model sees a row no more once it has ended', () => {
    const model = modelOf([1, END], [2, 2, 2, END], [END]);

    expect(tokensOf(greedySearch(model, options))).toEqual([[[1]], [[2, 2, 2]], [[]]]);
    expect(model.rowsPerCall).toEqual([3, 2, 1, 1]);
  });

  test('ends each row at its own limit', () => {
    const model = modelOf([1, 1, 1, 1, END], [2, 2, 2, 2, END], [3, END]);

    expect(tokensOf(greedySearch(model, { ...options, maxNewTokens: [1, 3, 9] }))).toEqual([[[1]], [[2, 2, 2]], [[3]]]);
    expect(model.rowsPerCall).toEqual([3, 2, 1]);
  });

  test('never takes a banned token, however likely', () => {
    const result = greedySearch(modelOf([4, 4, END]), { ...options, bannedTokens: [4, 5], maxNewTokens: [2] });

    expect(tokensOf(result)[0]?.[0]).not.toContain(4);
  });

  test('takes the first of equally likely tokens', () => {
    const model = new PureStepModel(1, VOCABULARY, () => [0, 7, 7, 0, 0, 0]);

    expect(tokensOf(greedySearch(model, { ...options, maxNewTokens: [2] }))).toEqual([[[1, 1]]]);
  });

  test('is as confident as the product of its tokens’ probabilities, the end included', () => {
    const halves = [Math.log(1), Math.log(6), Math.log(5), -Infinity, -Infinity, -Infinity];
    const ending = [Math.log(3), Math.log(1), -Infinity, -Infinity, -Infinity, -Infinity];
    const model = new PureStepModel(1, VOCABULARY, (_, history) => (history.length === 0 ? halves : ending));

    const [hypothesis] = greedySearch(model, { ...options, withConfidence: true }).hypotheses[0] ?? [];

    expect(Math.exp(hypothesis?.logProbability ?? 0)).toBeCloseTo((6 / 12) * (3 / 4), 6);
    expect(hypothesis?.scoredTokens).toBe(2);
  });

  test('shares the probability of banned tokens among the others', () => {
    const model = new PureStepModel(1, VOCABULARY, () => [Math.log(3), Math.log(1), Math.log(96), -99, -99, -99]);

    const [hypothesis] =
      greedySearch(model, { ...options, bannedTokens: [2], withConfidence: true }).hypotheses[0] ?? [];

    expect(Math.exp(hypothesis?.logProbability ?? 0)).toBeCloseTo(3 / 4, 6);
  });

  test('tells no confidence that it was not asked for', () => {
    expect(greedySearch(modelOf([END]), options).hypotheses[0]?.[0]?.logProbability).toBeNaN();
  });

  test('asks before every step whether it is still wanted, and lets go of what is not', () => {
    const model = modelOf([1, 1, 1, 1, 1, END], [2, 2, END]);

    const result = greedySearch(model, {
      ...options,
      isCancelled: (row) => row === 0 && model.rowsPerCall.length === 2,
    });

    expect(tokensOf(result)[1]).toEqual([[2, 2]]);
    expect(model.rowsPerCall).toEqual([2, 2, 1]);
  });

  test('never shows the model what was cancelled before the start, and does nothing when that is all', () => {
    const model = modelOf([1, END], [2, 2, END]);
    expect(tokensOf(greedySearch(model, { ...options, isCancelled: (row) => row === 0 }))[1]).toEqual([[2, 2]]);
    expect(model.rowsPerCall).toEqual([1, 1, 1]);

    const unwanted = modelOf([1, END]);
    expect(greedySearch(unwanted, { ...options, isCancelled: () => true }).steps).toBe(0);
    expect(unwanted.rowsPerCall).toEqual([]);
  });
});
