/** One step from the root of the softmax's tree towards a label. */
export interface TreeStep {
  /** Index of the inner node, which is its row in the output matrix. */
  readonly node: number;
  /** Whether the way goes to the node's second child, whose probability is sigmoid(score); the first has the rest. */
  readonly second: boolean;
}

/**
 * The Huffman tree of fastText's hierarchical softmax: the steps between each label and the root, the root last.
 * `counts` are the labels', in descending order.
 */
export function treePaths(counts: readonly number[]): TreeStep[][] {
  const innerCounts: number[] = [];
  const paths = counts.map((): TreeStep[] => []);
  const labelsBelow: number[][] = [];
  let nextLabel = counts.length - 1;
  let nextInner = 0;

  /** The rarest tree that has no parent yet; of a label and an inner node with the same count, the inner node. */
  function takeRarest(): { count: number; labels: number[] } {
    const labelCount = counts[nextLabel];
    const innerCount = innerCounts[nextInner];
    if (labelCount !== undefined && (innerCount === undefined || labelCount < innerCount)) {
      return { count: labelCount, labels: [nextLabel--] };
    }
    return { count: innerCount ?? 0, labels: labelsBelow[nextInner++] ?? [] };
  }

  for (let node = 0; node < counts.length - 1; node++) {
    const first = takeRarest();
    const second = takeRarest();
    for (const label of first.labels) {
      paths[label]?.push({ node, second: false });
    }
    for (const label of second.labels) {
      paths[label]?.push({ node, second: true });
    }
    innerCounts.push(first.count + second.count);
    labelsBelow.push([...first.labels, ...second.labels]);
  }
  return paths;
}
