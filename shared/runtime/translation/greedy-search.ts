import { argmax, ban, logSumExp } from './logits.ts';
import type { Hypothesis, SearchOptions, SearchResult, StepModel } from './step-model.ts';

/** Takes the likeliest token at each step; rows that have ended or are cancelled leave the batch, so that later steps are cheaper. */
export function greedySearch(model: StepModel, options: SearchOptions): SearchResult {
  const { endToken, bannedTokens, maxNewTokens, withConfidence, isCancelled } = options;
  const size = model.vocabularySize;
  const tokens = Array.from({ length: model.rows }, (): number[] => []);
  const logProbability = new Float64Array(model.rows).fill(withConfidence ? 0 : Number.NaN);
  const scoredTokens = new Int32Array(model.rows);
  let alive = tokens.flatMap((_, row) => (isCancelled(row) ? [] : [row]));
  if (alive.length < tokens.length) model.select(alive);
  let steps = 0;
  let next: number[] = [];
  while (alive.length > 0) {
    const logits = steps === 0 ? model.start(options.prompt) : model.step(next);
    steps++;
    const kept: number[] = [];
    next = [];
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
      if (sequence.length >= (maxNewTokens[original] as number) || isCancelled(original)) continue;
      kept.push(row);
      next.push(token);
    }
    if (kept.length === alive.length) continue;
    if (kept.length > 0) model.select(kept);
    alive = kept.map((row) => alive[row] as number);
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
