import { elementTypeNumber, type Graph, type GraphNode, node, type Tensor } from './onnx/encode-onnx.ts';

const WIDTH = 64;
const HEADS = 4;
const HEAD_WIDTH = WIDTH / HEADS;
const INNER = 128;
const VOCABULARY = 64;
const POSITIONS = 32;
const EPSILON = { float: 1e-5 };

/**
 * One small layer of a transformer, in the engine's own operators with eight bits, as they stand in the graphs that it has
 * optimised: whatever goes through it has met the code that a translation model needs. Its answers mean nothing. A worker without
 * a model yet rehearses with it (`shared/runtime/rehearsal.ts`), which names its inputs:
 *
 * - `ids` int64 [batch, length], `mask` int64 [batch, past + length], `past` float32 [batch, 4, past, 16], `is_first` bool [1]
 * - `logits` float32 [batch, length, 64], `keys` float32 [batch, 4, past + length, 16]
 */
export function rehearsalGraph(): Graph {
  return {
    name: 'rehearsal',
    inputs: [
      { name: 'ids', type: 'int64', dims: ['batch', 'length'] },
      { name: 'mask', type: 'int64', dims: ['batch', 'all'] },
      { name: 'past', type: 'float32', dims: ['batch', HEADS, 'past', HEAD_WIDTH] },
      { name: 'is_first', type: 'bool', dims: [1] },
    ],
    outputs: [
      { name: 'logits', type: 'float32', dims: ['batch', 'length', VOCABULARY] },
      { name: 'keys', type: 'float32', dims: ['batch', HEADS, 'all', HEAD_WIDTH] },
    ],
    nodes: [
      ...embedding(),
      ...attention(),
      ...feedForward(),
      node('If', ['is_first'], 'logits', {
        then_branch: projection('logits_first'),
        else_branch: projection('logits_later'),
      }),
    ],
    constants: [
      floats('token_table', [VOCABULARY, WIDTH]),
      floats('position_table', [POSITIONS, WIDTH]),
      floats('gain', [WIDTH]),
      floats('offset', [WIDTH]),
      floats('vocabulary', [WIDTH, VOCABULARY]),
      { name: 'token_scale', dims: [], data: Float32Array.of(8) },
      { name: 'one', dims: [], data: Float32Array.of(1) },
      { name: 'minus_a_lot', dims: [], data: Float32Array.of(-1e9) },
      { name: 'zero_index', dims: [], data: BigInt64Array.of(0n) },
      { name: 'one_index', dims: [], data: BigInt64Array.of(1n) },
      { name: 'middle_axes', dims: [2], data: BigInt64Array.of(1n, 2n) },
      { name: 'by_head', dims: [4], data: BigInt64Array.of(0n, 0n, BigInt(HEADS), BigInt(HEAD_WIDTH)) },
      { name: 'by_token', dims: [3], data: BigInt64Array.of(0n, 0n, BigInt(WIDTH)) },
      ...['query', 'key', 'value', 'mixed'].flatMap((name) => eightBits(name, WIDTH, WIDTH)),
      ...eightBits('wide', WIDTH, INNER),
      ...eightBits('narrow', INNER, WIDTH),
    ],
  };
}

function embedding(): GraphNode[] {
  return [
    node('Gather', ['token_table', 'ids'], 'tokens'),
    node('Mul', ['tokens', 'token_scale'], 'scaled_tokens'),
    node('Shape', ['ids'], 'ids_shape'),
    node('Gather', ['ids_shape', 'one_index'], 'length'),
    node('Range', ['zero_index', 'length', 'one_index'], 'places'),
    node('Gather', ['position_table', 'places'], 'positions'),
    node('Add', ['scaled_tokens', 'positions'], 'embedded'),
  ];
}

function attention(): GraphNode[] {
  const byHead = (name: string) => [
    node('Reshape', [name, 'by_head'], `${name}_split`),
    node('Transpose', [`${name}_split`], `${name}_heads`, { perm: [0, 2, 1, 3] }),
  ];
  return [
    node('Unsqueeze', ['mask', 'middle_axes'], 'mask_heads'),
    node('Cast', ['mask_heads'], 'mask_float', { to: elementTypeNumber('float32') }),
    node('Sub', ['one', 'mask_float'], 'hidden'),
    node('Mul', ['hidden', 'minus_a_lot'], 'mask_bias'),
    node('LayerNormalization', ['embedded', 'gain', 'offset'], 'attended', { axis: -1, epsilon: EPSILON }),
    {
      ...node('DynamicQuantizeLinear', ['attended'], 'attended_bytes'),
      moreOutputs: ['attended_scale', 'attended_zero'],
    },
    {
      operator: 'MatMulIntegerToFloat',
      domain: 'com.microsoft',
      inputs: [
        ...['attended_bytes', 'query_weight', 'attended_scale', 'query_scale'],
        ...['attended_zero', 'query_zero', 'query_bias'],
      ],
      output: 'query',
    },
    product('attended', 'key', 'key'),
    product('attended', 'value', 'value'),
    ...['query', 'key', 'value'].flatMap(byHead),
    node('Concat', ['past', 'key_heads'], 'keys', { axis: 2 }),
    node('Concat', ['past', 'value_heads'], 'values', { axis: 2 }),
    {
      ...node('FusedMatMul', ['query_heads', 'keys'], 'scores', { transB: 1, alpha: { float: 0.25 } }),
      domain: 'com.microsoft',
    },
    node('Add', ['scores', 'mask_bias'], 'masked_scores'),
    node('Softmax', ['masked_scores'], 'shares', { axis: -1 }),
    node('MatMul', ['shares', 'values'], 'heads'),
    node('Transpose', ['heads'], 'heads_by_token', { perm: [0, 2, 1, 3] }),
    node('Reshape', ['heads_by_token', 'by_token'], 'joined'),
    product('joined', 'mixed', 'mixed'),
    node('Add', ['embedded', 'mixed'], 'after_attention'),
  ];
}

function feedForward(): GraphNode[] {
  return [
    node('LayerNormalization', ['after_attention', 'gain', 'offset'], 'normal', { axis: -1, epsilon: EPSILON }),
    product('normal', 'wide', 'inner'),
    node('Relu', ['inner'], 'active'),
    product('active', 'narrow', 'outer'),
    node('Add', ['after_attention', 'outer'], 'states'),
  ];
}

function projection(output: string): Graph {
  return {
    name: output,
    inputs: [],
    outputs: [{ name: output, type: 'float32', dims: ['batch', 'length', VOCABULARY] }],
    nodes: [node('MatMul', ['states', 'vocabulary'], output)],
    constants: [],
  };
}

/** With the weight in eight bits of that name, for which the input is quantised. */
function product(input: string, weight: string, output: string): GraphNode {
  return {
    operator: 'DynamicQuantizeMatMul',
    domain: 'com.microsoft',
    inputs: [input, `${weight}_weight`, `${weight}_scale`, `${weight}_zero`, `${weight}_bias`],
    output,
  };
}

function floats(name: string, dims: readonly number[]): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return { name, dims, data: Float32Array.from({ length: count }, (_, index) => Math.sin(index)) };
}

function eightBits(name: string, rows: number, columns: number): Tensor[] {
  const weight = Int8Array.from({ length: rows * columns }, (_, index) => Math.round(100 * Math.sin(index)));
  return [
    { name: `${name}_weight`, dims: [rows, columns], data: weight },
    { name: `${name}_scale`, dims: [1], data: Float32Array.of(0.01) },
    { name: `${name}_zero`, dims: [1], data: Int8Array.of(0) },
    floats(`${name}_bias`, [columns]),
  ];
}
