import { Message } from './message.ts';
import { ATTRIBUTE, GRAPH, MODEL, NODE, TENSOR } from './onnx-fields.ts';

const ELEMENT = { float: 1, uint8: 2, int8: 3 } as const;

/**
 * Products of the engine's own with weights in eight bits: where in its inputs weight, scale, zero point and bias stand. The first
 * takes a float input and quantises it; the second takes one that a `DynamicQuantizeLinear` has quantised.
 */
const PRODUCTS: Readonly<Record<string, { weight: number; scale: number; zeroPoint: number; bias: number }>> = {
  DynamicQuantizeMatMul: { weight: 1, scale: 2, zeroPoint: 3, bias: 4 },
  MatMulIntegerToFloat: { weight: 1, scale: 3, zeroPoint: 5, bias: 6 },
};

export interface FloatWeightsOptions {
  /** A weight with fewer columns stays in eight bits. */
  readonly minimumColumns: number;
  /** The elements of a constant, wherever they lie. */
  readonly elementsOf: (tensor: Message) => Uint8Array;
}

/** What rewriting a model goes by. */
interface Rewriting extends FloatWeightsOptions {
  /** The tensors of the outermost graph, by name. */
  readonly constants: ReadonlyMap<string, Message>;
  /** The float weights that were made, by the name of the one in eight bits. */
  readonly dequantised: Map<string, Message>;
}

/**
 * Has products with weights in eight bits computed in float32, by weights that are dequantised here once and for all.
 * @param model a `ModelProto` that the engine has optimised
 * @returns undefined when there is no such product
 */
export function withFloatWeights(model: Message, options: FloatWeightsOptions): Message | undefined {
  const [graph] = model.messages(MODEL.graph);
  if (graph === undefined) return undefined;
  const tensors = graph.messages(GRAPH.initializer);
  const constants = new Map(tensors.map((tensor) => [tensor.text(TENSOR.name), tensor]));
  const rewriting: Rewriting = { ...options, constants, dequantised: new Map() };
  const rewritten = rewriteGraph(graph, rewriting);
  if (rewriting.dequantised.size === 0) return undefined;
  const used = new Set(inputsOf(rewritten));
  const kept = tensors.filter((tensor) => {
    const name = tensor.text(TENSOR.name);
    return used.has(name) || !rewriting.dequantised.has(name);
  });
  const withWeights = rewritten.withMessages(GRAPH.initializer, [...kept, ...rewriting.dequantised.values()]);
  return model.withMessages(MODEL.graph, [withWeights]);
}

function rewriteGraph(graph: Message, rewriting: Rewriting): Message {
  const nodes = graph.messages(GRAPH.node);
  const floats = new Map(
    nodes
      .filter((node) => node.text(NODE.operator) === 'DynamicQuantizeLinear')
      .map((node) => [node.texts(NODE.output)[0] ?? '', node.texts(NODE.input)[0] ?? '']),
  );
  const rewritten = nodes.flatMap((node) => rewriteNode(node, floats, rewriting));
  const used = new Set(rewritten.flatMap((node) => inputsOfNode(node)));
  const needed = rewritten.filter(
    (node) =>
      node.text(NODE.operator) !== 'DynamicQuantizeLinear' || node.texts(NODE.output).some((name) => used.has(name)),
  );
  return graph.withMessages(GRAPH.node, needed);
}

function rewriteNode(node: Message, floats: ReadonlyMap<string, string>, rewriting: Rewriting): Message[] {
  const operator = node.text(NODE.operator);
  const places = PRODUCTS[operator];
  if (places === undefined) return [rewriteBranches(node, rewriting)];
  const inputs = node.texts(NODE.input);
  const input = operator === 'DynamicQuantizeMatMul' ? inputs[0] : floats.get(inputs[0] ?? '');
  const weight = inputs[places.weight] ?? '';
  const name = floatName(weight);
  if (input === undefined || !dequantiseOnce(weight, inputs, places, rewriting)) return [node];
  const bias = inputs[places.bias] ?? '';
  const [output = ''] = node.texts(NODE.output);
  if (bias === '') return [makeNode('MatMul', [input, name], output)];
  const product = `${output}_product`;
  return [makeNode('MatMul', [input, name], product), makeNode('Add', [product, bias], output)];
}

/** @returns whether there is a float weight now */
function dequantiseOnce(
  weight: string,
  inputs: readonly string[],
  { scale, zeroPoint }: { scale: number; zeroPoint: number },
  { constants, dequantised, minimumColumns, elementsOf }: Rewriting,
): boolean {
  if (dequantised.has(weight)) return true;
  const weights = constants.get(weight);
  const scales = constants.get(inputs[scale] ?? '');
  const zeroName = inputs[zeroPoint] ?? '';
  const zeroPoints = constants.get(zeroName);
  const [rows, columns = 0, ...more] = weights?.integers(TENSOR.dims) ?? [];
  if (weights === undefined || scales === undefined || rows === undefined || more.length > 0) return false;
  if (columns < minimumColumns || (zeroName !== '' && zeroPoints === undefined)) return false;
  const [type] = weights.integers(TENSOR.elementType);
  if (type !== ELEMENT.int8 && type !== ELEMENT.uint8) return false;
  const integers = (tensor: Message) => {
    const bytes = elementsOf(tensor);
    return type === ELEMENT.int8 ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
  };
  const values = dequantise(
    integers(weights),
    // A copy of its own is aligned for any element type.
    new Float32Array(new Uint8Array(elementsOf(scales)).buffer),
    zeroPoints === undefined ? Int8Array.of(0) : integers(zeroPoints),
    columns,
  );
  dequantised.set(weight, floatTensor(floatName(weight), [rows, columns], values));
  return true;
}

/** @param scales one for each column or one for all, and zero points alike */
function dequantise(
  quantised: Int8Array | Uint8Array,
  scales: Float32Array,
  zeroPoints: Int8Array | Uint8Array,
  columns: number,
): Float32Array {
  const values = new Float32Array(quantised.length);
  for (let index = 0; index < values.length; index++) {
    const column = index % columns;
    const zero = zeroPoints[zeroPoints.length === 1 ? 0 : column] as number;
    values[index] = ((quantised[index] as number) - zero) * (scales[scales.length === 1 ? 0 : column] as number);
  }
  return values;
}

function floatTensor(name: string, dims: readonly number[], values: Float32Array): Message {
  return dims
    .reduce((tensor, dim) => tensor.withInteger(TENSOR.dims, dim), new Message())
    .withInteger(TENSOR.elementType, ELEMENT.float)
    .withText(TENSOR.name, name)
    .withBytes(TENSOR.rawData, new Uint8Array(values.buffer));
}

function rewriteBranches(node: Message, rewriting: Rewriting): Message {
  const attributes = node.messages(NODE.attribute);
  if (!attributes.some((attribute) => attribute.all(ATTRIBUTE.graph).length > 0)) return node;
  const rewritten = attributes.map((attribute) => {
    const [branch] = attribute.messages(ATTRIBUTE.graph);
    return branch === undefined
      ? attribute
      : attribute.withMessages(ATTRIBUTE.graph, [rewriteGraph(branch, rewriting)]);
  });
  return node.withMessages(NODE.attribute, rewritten);
}

/** Names that a graph's nodes use, those in its branches included. */
function inputsOf(graph: Message): string[] {
  return graph.messages(GRAPH.node).flatMap(inputsOfNode);
}

function inputsOfNode(node: Message): string[] {
  const branches = node.messages(NODE.attribute).flatMap((attribute) => attribute.messages(ATTRIBUTE.graph));
  return [...node.texts(NODE.input), ...branches.flatMap((branch) => [...inputsOf(branch), ...outputsOf(branch)])];
}

function outputsOf(graph: Message): string[] {
  return graph.messages(GRAPH.output).map((output) => output.text(1));
}

function floatName(weight: string): string {
  return `${weight}_float`;
}

function makeNode(operator: string, inputs: readonly string[], output: string): Message {
  const withInputs = inputs.reduce((node, input) => node.withText(NODE.input, input), new Message());
  return withInputs
    .withText(NODE.output, output)
    .withText(NODE.name, `${output}_${operator}`)
    .withText(NODE.operator, operator);
}
