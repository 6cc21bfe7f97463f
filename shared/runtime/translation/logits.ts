/** Gives the banned tokens of one row no chance. */
export function ban(logits: Float32Array, offset: number, tokens: readonly number[]): void {
  for (const token of tokens) logits[offset + token] = Number.NEGATIVE_INFINITY;
}

/** Index of the largest of `size` values from `offset`; the first of equals. */
export function argmax(values: Float32Array, offset: number, size: number): number {
  let best = 0;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < size; index++) {
    const value = values[offset + index] as number;
    if (value > bestValue) {
      bestValue = value;
      best = index;
    }
  }
  return best;
}

/** log of the sum of exponentials of `size` values from `offset`: what turns a logit into a log-probability. */
export function logSumExp(values: Float32Array, offset: number, size: number): number {
  const largest = values[offset + argmax(values, offset, size)] as number;
  let sum = 0;
  for (let index = 0; index < size; index++) sum += Math.exp((values[offset + index] as number) - largest);
  return largest + Math.log(sum);
}

/** Indices of the `count` largest of `size` values from `offset`, largest first; earlier ones first among equals. */
export function largest(values: Float32Array, offset: number, size: number, count: number): number[] {
  const top: number[] = [];
  let threshold = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < size; index++) {
    const value = values[offset + index] as number;
    if (top.length === count && value <= threshold) continue;
    let place = top.length;
    while (place > 0 && (values[offset + (top[place - 1] as number)] as number) < value) place--;
    top.splice(place, 0, index);
    if (top.length > count) top.pop();
    if (top.length === count) threshold = values[offset + (top[count - 1] as number)] as number;
  }
  return top;
}
