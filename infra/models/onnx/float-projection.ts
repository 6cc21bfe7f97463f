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

interface Weights {
  readonly columns: number;
  /** Whether every element is 0: asked of zero points only. */
  readonly isZero: () => boolean;
}

/** An int8 weight and its scales that became one float weight. */
interface Dequantised {
  readonly weight: string;
  readonly scale: string;
}

/**
 * Has the projection onto the vocabulary computed in float32, from the same int8 weights: onnxruntime-web's int8 kernel
 * packs the whole weight anew at every call, which for one row costs three times the multiplication itself. The file stays
 * as small: it gains a Cast and a Mul, which the engine folds when it creates the session. A graph without such a
 * projection (or with zero points) comes back as it was.
 * @param file an ONNX file, dynamically quantised (DynamicQuantizeLinear, MatMulInteger, Cast, Mul)
 */
export function withFloatProjection(file: Uint8Array): Uint8Array {
  const model = Message.decode(file);
  const [graph] = model.messages(MODEL_GRAPH);
  if (graph === undefined) return file;
  const weights = new Map(graph.messages(GRAPH.initializer).map(readWeights));
  const found = new Map<string, Dequantised>();
  const rewritten = rewriteGraph(graph, weights, found);
  if (found.size === 0) return file;
  const folded = [...found.values()].flatMap(dequantise);
  const nodes = [...folded, ...rewritten.messages(GRAPH.node)];
  return model.withMessages(MODEL_GRAPH, [rewritten.withMessages(GRAPH.node, nodes)]).encode();
}

function readWeights(tensor: Message): [string, Weights] {
  const columns = tensor.integers(TENSOR.dims).at(-1) ?? 0;
  const isZero = () => tensor.all(TENSOR.rawData).every((content) => content.every((byte) => byte === 0));
  return [tensor.text(TENSOR.name), { columns, isZero }];
}

function rewriteGraph(graph: Message, weights: ReadonlyMap<string, Weights>, found: Map<string, Dequantised>): Message {
  const nodes = graph.messages(GRAPH.node).map((node) => rewriteSubgraphs(node, weights, found));
  const operator = (node: Message | undefined) => node?.text(NODE.operator);
  const consumerOf = (name: string | undefined) => nodes.find((node) => node.texts(NODE.input).includes(name ?? ''));
  const producerOf = (name: string | undefined) => nodes.find((node) => node.texts(NODE.output).includes(name ?? ''));
  const dropped = new Set<Message>();
  const replaced = new Map<Message, Message>();
  for (const node of nodes) {
    const [quantised, weight = '', , zeroPoint] = node.texts(NODE.input);
    const isProjection =
      operator(node) === 'MatMulInteger' && (weights.get(weight)?.columns ?? 0) >= VOCABULARY_COLUMNS;
    const isSymmetric = zeroPoint === undefined || zeroPoint === '' || weights.get(zeroPoint)?.isZero() === true;
    if (!isProjection || !isSymmetric) continue;
    const quantise = producerOf(quantised);
    const cast = consumerOf(node.texts(NODE.output)[0]);
    const multiply = consumerOf(cast?.texts(NODE.output)[0]);
    const scales = multiply
      ?.texts(NODE.input)
      .map(producerOf)
      .find((producer) => producer !== cast);
    const scale = scales?.texts(NODE.input).find((name) => weights.has(name));
    const isPattern =
      operator(quantise) === 'DynamicQuantizeLinear' &&
      operator(cast) === 'Cast' &&
      operator(multiply) === 'Mul' &&
      operator(scales) === 'Mul';
    if (!isPattern || quantise === undefined || cast === undefined || multiply === undefined) continue;
    if (scales === undefined || scale === undefined) continue;
    found.set(weight, { weight, scale });
    const [input = ''] = quantise.texts(NODE.input);
    const [output = ''] = multiply.texts(NODE.output);
    replaced.set(multiply, makeNode('MatMul', [input, floatName(weight)], output));
    for (const gone of [node, cast, scales]) dropped.add(gone);
  }
  const kept = nodes.filter((node) => !dropped.has(node)).map((node) => replaced.get(node) ?? node);
  const used = new Set(kept.flatMap((node) => node.texts(NODE.input)));
  const isNeeded = (node: Message) =>
    operator(node) !== 'DynamicQuantizeLinear' || node.texts(NODE.output).some((name) => used.has(name));
  return graph.withMessages(GRAPH.node, kept.filter(isNeeded));
}

function rewriteSubgraphs(
  node: Message,
  weights: ReadonlyMap<string, Weights>,
  found: Map<string, Dequantised>,
): Message {
  if (!node.messages(NODE.attribute).some((attribute) => attribute.all(ATTRIBUTE.graph).length > 0)) return node;
  const attributes = node.messages(NODE.attribute).map((attribute) => {
    const [subgraph] = attribute.messages(ATTRIBUTE.graph);
    if (subgraph === undefined) return attribute;
    return attribute.withMessages(ATTRIBUTE.graph, [rewriteGraph(subgraph, weights, found)]);
  });
  return node.withMessages(NODE.attribute, attributes);
}

/** Stands in the outermost graph, so that both branches of a merged decoder share one folded weight. */
function dequantise({ weight, scale }: Dequantised): Message[] {
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
