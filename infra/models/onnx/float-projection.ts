import { Message } from './message.ts';

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const ATTRIBUTE_GRAPH = 6;
const TENSOR = { dims: 1, elementType: 2, name: 8, rawData: 9 } as const;
const ELEMENT = { float: 1, int8: 3 } as const;

/** Columns from which on a weight is taken for the projection onto the vocabulary. */
const VOCABULARY_COLUMNS = 2000;

/** The tensors of the outermost graph, by name. */
type Constants = ReadonlyMap<string, Message>;

/** The float weights that were made, by the name of the int8 one. */
type Dequantised = Map<string, Message>;

/**
 * Has the projection onto the vocabulary computed in float32: onnxruntime-web's int8 kernel packs the whole weight anew at
 * every call, which for one row costs three times the multiplication itself. The weight is stored as float32, dequantised:
 * a load that had to do that would take longer than one that gets the bytes. A graph without such a projection (or with
 * zero points) comes back as it was.
 * @param file an ONNX file that the engine has optimised: its int8 products are `DynamicQuantizeMatMul`
 */
export function withFloatProjection(file: Uint8Array): Uint8Array {
  const model = Message.decode(file);
  const [graph] = model.messages(MODEL_GRAPH);
  if (graph === undefined) return file;
  const tensors = graph.messages(GRAPH.initializer);
  const constants = new Map(tensors.map((tensor) => [tensor.text(TENSOR.name), tensor]));
  const dequantised: Dequantised = new Map();
  const rewritten = rewriteGraph(graph, constants, dequantised);
  if (dequantised.size === 0) return file;
  const kept = tensors.filter((tensor) => !dequantised.has(tensor.text(TENSOR.name)));
  const withWeights = rewritten.withMessages(GRAPH.initializer, [...kept, ...dequantised.values()]);
  return model.withMessages(MODEL_GRAPH, [withWeights]).encode();
}

function rewriteGraph(graph: Message, constants: Constants, dequantised: Dequantised): Message {
  const nodes = graph.messages(GRAPH.node).flatMap((node) => rewriteNode(node, constants, dequantised));
  return graph.withMessages(GRAPH.node, nodes);
}

function rewriteNode(node: Message, constants: Constants, dequantised: Dequantised): Message[] {
  if (node.text(NODE.operator) !== 'DynamicQuantizeMatMul') return [rewriteSubgraphs(node, constants, dequantised)];
  const [input = '', weight = '', scale = '', zeroPoint = '', bias = ''] = node.texts(NODE.input);
  const weights = constants.get(weight);
  const scales = constants.get(scale);
  const isProjection = (weights?.integers(TENSOR.dims)[1] ?? 0) >= VOCABULARY_COLUMNS;
  if (weights === undefined || scales === undefined || !isProjection) return [node];
  if (!isSymmetric(weights, constants.get(zeroPoint))) return [node];
  if (!dequantised.has(weight)) dequantised.set(weight, dequantise(weights, scales));
  const [output = ''] = node.texts(NODE.output);
  if (bias === '') return [makeNode('MatMul', [input, floatName(weight)], output)];
  const product = `${output}_product`;
  return [makeNode('MatMul', [input, floatName(weight)], product), makeNode('Add', [product, bias], output)];
}

function isSymmetric(weights: Message, zeroPoint: Message | undefined): boolean {
  const isInt8 = weights.integers(TENSOR.elementType)[0] === ELEMENT.int8;
  return isInt8 && (zeroPoint === undefined || rawData(zeroPoint).every((byte) => byte === 0));
}

function rewriteSubgraphs(node: Message, constants: Constants, dequantised: Dequantised): Message {
  const attributes = node.messages(NODE.attribute);
  if (!attributes.some((attribute) => attribute.all(ATTRIBUTE_GRAPH).length > 0)) return node;
  const rewritten = attributes.map((attribute) => {
    const [subgraph] = attribute.messages(ATTRIBUTE_GRAPH);
    if (subgraph === undefined) return attribute;
    return attribute.withMessages(ATTRIBUTE_GRAPH, [rewriteGraph(subgraph, constants, dequantised)]);
  });
  return node.withMessages(NODE.attribute, rewritten);
}

/** @param scales float32, one for each column or one for all */
function dequantise(weights: Message, scales: Message): Message {
  const [rows = 0, columns = 0] = weights.integers(TENSOR.dims);
  const quantised = new Int8Array(rawData(weights).buffer);
  const scale = new Float32Array(rawData(scales).buffer);
  const values = new Float32Array(rows * columns);
  for (let index = 0; index < values.length; index++) {
    values[index] = (quantised[index] ?? 0) * (scale[scale.length === 1 ? 0 : index % columns] ?? 0);
  }
  return new Message()
    .withInteger(TENSOR.dims, rows)
    .withInteger(TENSOR.dims, columns)
    .withInteger(TENSOR.elementType, ELEMENT.float)
    .withText(TENSOR.name, floatName(weights.text(TENSOR.name)))
    .withBytes(TENSOR.rawData, new Uint8Array(values.buffer));
}

/** A copy of its own, so that it is aligned for any element type. */
function rawData(tensor: Message): Uint8Array<ArrayBuffer> {
  return new Uint8Array(tensor.all(TENSOR.rawData)[0] ?? []);
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
