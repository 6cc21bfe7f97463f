import { elementTypeNumber, type Graph, node } from '../onnx/encode-onnx.ts';
import type { FastTextModel } from './fasttext-file.ts';
import { treePaths } from './softmax-tree.ts';

/**
 * The classifier as a graph: `features` (int32 [n], the rows of one text) to `log_probabilities` (float32 [1, labels]).
 *
 * The table keeps fastText's product quantiser: a row is looked up as eight small centroids and a norm. That is exact,
 * and half the size of the same table dequantised to int8.
 */
export function detectionGraph(model: FastTextModel): Graph {
  const { input, labels, dimensions } = model;
  const toInt32 = { to: elementTypeNumber('int32') };
  return {
    name: 'language-detection',
    inputs: [{ name: 'features', type: 'int32', dims: ['features'] }],
    outputs: [{ name: 'log_probabilities', type: 'float32', dims: [1, labels.length] }],
    nodes: [
      node('Gather', ['codes', 'features'], 'row_codes_as_bytes'),
      node('Cast', ['row_codes_as_bytes'], 'row_codes', toInt32),
      node('Add', ['row_codes', 'first_centroids'], 'row_centroids'),
      node('Gather', ['centroids', 'row_centroids'], 'row_parts'),
      node('Reshape', ['row_parts', 'rows_shape'], 'unit_rows'),
      node('Gather', ['norm_codes', 'features'], 'row_norm_codes_as_bytes'),
      node('Cast', ['row_norm_codes_as_bytes'], 'row_norm_codes', toInt32),
      node('Gather', ['norms', 'row_norm_codes'], 'row_norms'),
      node('Mul', ['unit_rows', 'row_norms'], 'rows'),
      node('ReduceMean', ['rows'], 'text', { axes: [0], keepdims: 1 }),
      node('MatMul', ['text', 'turns'], 'scores_against'),
      node('Softplus', ['scores_against'], 'costs'),
      node('Cast', ['paths_as_bytes'], 'paths', { to: elementTypeNumber('float32') }),
      node('MatMul', ['costs', 'paths'], 'log_probabilities'),
    ],
    constants: [
      { name: 'codes', dims: [input.rows, input.parts], data: input.codes },
      { name: 'centroids', dims: [input.parts * 256, input.partWidth], data: input.centroids },
      {
        name: 'first_centroids',
        dims: [input.parts],
        data: Int32Array.from({ length: input.parts }, (_, part) => part * 256),
      },
      { name: 'rows_shape', dims: [2], data: BigInt64Array.of(-1n, BigInt(dimensions)) },
      { name: 'norm_codes', dims: [input.rows], data: input.normCodes },
      { name: 'norms', dims: [input.norms.length, 1], data: input.norms },
      { name: 'turns', dims: [dimensions, 2 * (labels.length - 1)], data: turns(model) },
      { name: 'paths_as_bytes', dims: [2 * (labels.length - 1), labels.length], data: paths(model) },
    ],
  };
}

/**
 * [dimensions, 2 × nodes]: the scores against the two turns at each inner node of the tree, first all first children,
 * then all second ones. With s a node's score, its second child has the probability sigmoid(s), whose logarithm is
 * -softplus(-s), and its first one sigmoid(-s), whose logarithm is -softplus(s).
 */
function turns({ output, dimensions, labels }: FastTextModel): Float32Array {
  const nodes = labels.length - 1;
  const matrix = new Float32Array(dimensions * 2 * nodes);
  for (let row = 0; row < dimensions; row++) {
    for (let inner = 0; inner < nodes; inner++) {
      const weight = output[inner * dimensions + row] ?? 0;
      matrix[row * 2 * nodes + inner] = weight;
      matrix[row * 2 * nodes + nodes + inner] = -weight;
    }
  }
  return matrix;
}

/** [2 × nodes, labels]: -1 where the label's way takes that turn, else 0. */
function paths({ labels }: FastTextModel): Int8Array {
  const nodes = labels.length - 1;
  const matrix = new Int8Array(2 * nodes * labels.length);
  for (const [label, path] of treePaths(labels.map(({ count }) => count)).entries()) {
    for (const step of path) {
      matrix[(step.second ? nodes + step.node : step.node) * labels.length + label] = -1;
    }
  }
  return matrix;
}
