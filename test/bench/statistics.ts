/** @throws RangeError when there is nothing to take a median of */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) throw new RangeError('a median needs a value');
  return (lower + upper) / 2;
}

/** The median of the rounds' own ratios: what slows the machine in one round slows both sides of it. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) throw new RangeError('both sides need a value for every round');
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/**
 * The smallest value that at least this share of all values does not exceed: the 99th percentile of 200 is the 198th.
 * @throws RangeError when there are no values
 */
export function quantile(values: readonly number[], share: number): number {
  const found = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
  if (found === undefined) throw new RangeError('a quantile needs a value');
  return found;
}
