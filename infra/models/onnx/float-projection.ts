import { Message } from './message.ts';

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, integer: 3, graph: 6, type: 20 } as const;
const ATTRIBUTE_TYPE_INT = 2;
const TENSOR = { dims: 1, name: 8, rawData: 9 } as const;
const ELEMENT_FLOAT = 1;

/** Columns from which on a weight is taken for the projection onto the vocabulary. */
const VOCABULARY_COLUMNS = 2000;

interface Constant {
  readonly columns: number;
  /** Whether every element is 0: asked of zero points only. */
  readonly isZero: () => boolean;
}

type Constants = ReadonlyMap<string, Constant>;

/** Scales by the int8 weight that becomes a float one with them. */
type Dequantised = Map<string, string>;

/**
 * Has the projection onto the vocabulary computed in float32, from the same int8 weights: onnxruntime-web's int8 kernel
 * packs the whole weight anew at every call, which for one row costs three times the multiplication itself. The file stays
 * as small: it gains a Cast and a Mul, which the engine folds when it creates the session. A graph without such a
 * projection (or with zero points) comes back as it was.
 * @param file an ONNX file that the engine has optimised: its int8 products are `DynamicQuantizeMatMul`
 */
export function withFloatProjection(file: Uint8Array): Uint8Array {
  const model = Message.decode(file);
  const [graph] = model.messages(MODEL_GRAPH);
  if (graph === undefined) return file;
  const constants = new Map(graph.messages(GRAPH.initializer).map(readConstant));
  const dequantised: Dequantised = new Map();
  const rewritten = rewriteGraph(graph, constants, dequantised);
  if (dequantised.size === 0) return file;
  // In the outermost graph, so that both branches of a merged decoder share one folded weight.
  const nodes = [...[...dequantised].flatMap(dequantise), ...rewritten.messages(GRAPH.node)];
  return model.withMessages(MODEL_GRAPH, [rewritten.withMessages(GRAPH.node, nodes)]).encode();
}

function readConstant(tensor: Message): [string, Constant] {
  const columns = tensor.integers(TENSOR.dims).at(-1) ?? 0;
  const isZero = () => tensor.all(TENSOR.rawData).every((content) => content.every((byte) => byte === 0));
  return [tensor.text(TENSOR.name), { columns, isZero }];
}

function rewriteGraph(graph: Message, constants: Constants, dequantised: Dequantised): Message {
  const nodes = graph.messages(GRAPH.node).flatMap((node) => rewriteNode(node, constants, dequantised));
  return graph.withMessages(GRAPH.node, nodes);
}

function rewriteNode(node: Message, constants: Constants, dequantised: Dequantised): Message[] {
  if (node.text(NODE.operator) !== 'DynamicQuantizeMatMul') return [rewriteSubgraphs(node, constants, dequantised)];
  const [input = '', weight = '', scale = '', zeroPoint = '', bias = ''] = node.texts(NODE.input);
  const isSymmetric = zeroPoint === '' || constants.get(zeroPoint)?.isZero() === true;
  if (!isSymmetric || (constants.get(weight)?.columns ?? 0) < VOCABULARY_COLUMNS) return [node];
  dequantised.set(weight, scale);
  const [output = ''] = node.texts(NODE.output);
  if (bias === '') return [makeNode('MatMul', [input, floatName(weight)], output)];
  const product = `${output}_product`;
  return [makeNode('MatMul', [input, floatName(weight)], product), makeNode('Add', [product, bias], output)];
}

function rewriteSubgraphs(node: Message, constants: Constants, dequantised: Dequantised): Message {
  const attributes = node.messages(NODE.attribute);
  if (!attributes.some((attribute) => attribute.all(ATTRIBUTE.graph).length > 0)) return node;
  const rewritten = attributes.map((attribute) => {
    const [subgraph] = attribute.messages(ATTRIBUTE.graph);
    if (subgraph === undefined) return attribute;
    return attribute.withMessages(ATTRIBUTE.graph, [rewriteGraph(subgraph, constants, dequantised)]);
  });
  return node.withMessages(NODE.attribute, rewritten);
}

function dequantise([weight, scale]: readonly [weight: string, scale: string]): Message[] {
  const cast = `${weight}_cast`;
  const toFloat = new Message()
    .withText(ATTRIBUTE.name, 'to')
    .withInteger(ATTRIBUTE.integer, ELEMENT_FLOAT)
    .withInteger(ATTRIBUTE.type, ATTRIBUTE_TYPE_INT);
  return [
    makeNode('Cast', [weight], cast).withMessage(NODE.attribute, toFloat),
    makeNode('Mul', [cast, scale], floatName(weight)),
  ];
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
