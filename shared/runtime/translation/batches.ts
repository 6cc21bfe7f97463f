/** Rows that the decoder takes at once: more make no row cheaper on one thread, and memory grows with them. */
const MAX_ROWS = 32;
/** Source positions (rows times the longest sentence) of one batch: bounds the encoder's activations. */
const MAX_POSITIONS = 4096;

/**
 * Groups sentences of similar length, so that few positions are padding and rows end at about the same step.
 * @param lengths source tokens of each sentence
 * @param beams rows that each sentence takes in the decoder
 * @returns indices into `lengths`; every index exactly once
 */
export function batchesByLength(lengths: readonly number[], beams: number): number[][] {
  const order = lengths.map((_, index) => index).sort((left, right) => at(lengths, left) - at(lengths, right));
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    const rows = (batch.length + 1) * beams;
    const isFull = rows > MAX_ROWS || rows * at(lengths, index) > MAX_POSITIONS;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
