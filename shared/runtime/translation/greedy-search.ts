import { argmax, ban, logSumExp } from './logits.ts';
import type { Hypothesis, SearchOptions, SearchResult, StepModel } from './step-model.ts';

/** Takes the likeliest token at each step; rows that have ended leave the batch, so that later steps are cheaper. */
export function greedySearch(model: StepModel, options: SearchOptions): SearchResult {
  const { endToken, bannedTokens, maxNewTokens, withConfidence, checkCancelled } = options;
  const size = model.vocabularySize;
  const tokens = Array.from({ length: model.rows }, (): number[] => []);
  const logProbability = new Float64Array(model.rows).fill(withConfidence ? 0 : Number.NaN);
  const scoredTokens = new Int32Array(model.rows);
  let alive = tokens.map((_, row) => row);
  let steps = 1;
  checkCancelled();
  let logits = model.start(options.prompt);
  for (;;) {
    const kept: number[] = [];
    const next: number[] = [];
    for (let row = 0; row < alive.length; row++) {
      const original = alive[row] as number;
      const offset = row * size;
      ban(logits, offset, bannedTokens);
      const token = argmax(logits, offset, size);
      if (withConfidence) {
        logProbability[original] =
          (logProbability[original] as number) + (logits[offset + token] as number) - logSumExp(logits, offset, size);
      }
      scoredTokens[original] = (scoredTokens[original] as number) + 1;
      if (token === endToken) continue;
      const sequence = tokens[original] as number[];
      sequence.push(token);
      if (sequence.length >= (maxNewTokens[original] as number)) continue;
      kept.push(row);
      next.push(token);
    }
    if (kept.length === 0) break;
    if (kept.length < alive.length) {
      model.select(kept);
      alive = kept.map((row) => alive[row] as number);
    }
    checkCancelled();
    logits = model.step(next);
    steps++;
  }
  const hypotheses = tokens.map((sequence, row): Hypothesis[] => [
    {
      tokens: sequence,
      logProbability: logProbability[row] as number,
      scoredTokens: scoredTokens[row] as number,
    },
  ]);
  return { hypotheses, steps };
}
