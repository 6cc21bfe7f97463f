/** Rows that the decoder takes at once: more make no row cheaper on one thread, and memory grows with them. */
const MAX_ROWS = 32;
/** Source positions (rows times the longest sentence) of one batch: bounds the encoder's activations. */
const MAX_POSITIONS = 4096;
/** What a batch costs for each position of its longest sentence besides its padding, in sentences: each step calls every operator. */
const STEP_IN_SENTENCES = 12;

/**
 * Groups sentences of similar length so that all together cost the least: in a batch every row is as long as the longest,
 * and each batch takes steps of its own.
 * @param lengths source tokens of each sentence
 * @param beams rows that each sentence takes in the decoder
 * @returns indices into `lengths`, short sentences first; every index exactly once
 */
export function batchesByLength(lengths: readonly number[], beams: number): number[][] {
  const order = lengths.map((_, index) => index).sort((left, right) => at(lengths, left) - at(lengths, right));
  const starts = cheapestStarts(
    order.map((index) => at(lengths, index)),
    beams,
  );
  const batches: number[][] = [];
  for (let end = order.length; end > 0; end = at(starts, end)) batches.unshift(order.slice(at(starts, end), end));
  return batches;
}

/**
 * @param sorted lengths, shortest first
 * @returns for each count of sentences from the first on, where the last batch of their cheapest grouping begins
 */
function cheapestStarts(sorted: readonly number[], beams: number): number[] {
  const starts = [0];
  const costs = [0];
  for (let end = 1; end <= sorted.length; end++) {
    const longest = at(sorted, end - 1);
    let best = Number.POSITIVE_INFINITY;
    for (let start = end - 1; start >= 0; start--) {
      const sentences = end - start;
      const rows = sentences * beams;
      const isAlone = sentences === 1;
      if (!isAlone && (rows > MAX_ROWS || rows * longest > MAX_POSITIONS)) break;
      const cost = at(costs, start) + longest * (sentences + STEP_IN_SENTENCES);
      if (cost >= best) continue;
      best = cost;
      starts[end] = start;
    }
    costs[end] = best;
  }
  return starts;
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
