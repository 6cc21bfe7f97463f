import { Message } from './message.ts';
import { ATTRIBUTE, ENTRY, EXTERNAL, elementBytes, GRAPH, MODEL, NODE, TENSOR } from './onnx-fields.ts';

/** Bytes of a file that are a tensor's elements. */
export interface DataPlace {
  /** The file's path from the graph's folder. */
  readonly location: string;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A copy of a `TensorProto` whose elements lie outside it, there. */
export function pointToData(tensor: Message, { location, offset, length }: DataPlace): Message {
  const entries = Object.entries({ location, offset: String(offset), length: String(length) });
  return entries
    .reduce(
      (pointed, [key, value]) =>
        pointed.withMessage(TENSOR.externalData, new Message().withText(ENTRY.key, key).withText(ENTRY.value, value)),
      tensor.without(TENSOR.rawData, TENSOR.externalData, TENSOR.dataLocation),
    )
    .withInteger(TENSOR.dataLocation, EXTERNAL);
}

/** Where a `TensorProto`'s elements lie; undefined when they are in it. */
export function dataPlaceOf(tensor: Message): DataPlace | undefined {
  if (tensor.integers(TENSOR.dataLocation)[0] !== EXTERNAL) return undefined;
  const entries = new Map(
    tensor.messages(TENSOR.externalData).map((entry) => [entry.text(ENTRY.key), entry.text(ENTRY.value)]),
  );
  const length = entries.get('length');
  return {
    location: (entries.get('location') ?? '').replace(/^\.\//, ''),
    offset: Number(entries.get('offset') ?? 0),
    length: length === undefined ? sizeByShape(tensor) : Number(length),
  };
}

function sizeByShape(tensor: Message): number {
  const [type = 0] = tensor.integers(TENSOR.elementType);
  return tensor.integers(TENSOR.dims).reduce((product, dim) => product * dim, elementBytes(type));
}

/** Every place in which the weights of a `ModelProto` lie outside it, its branches' included, in the order of the file. */
export function dataPlaces(model: Message): DataPlace[] {
  const places: DataPlace[] = [];
  rewriteTensors(model, (tensor) => {
    const place = dataPlaceOf(tensor);
    if (place !== undefined) places.push(place);
    return tensor;
  });
  return places;
}

/** A copy of a `ModelProto` in which each initializer is what `rewrite` makes of it, in its branches too. */
export function rewriteTensors(model: Message, rewrite: (tensor: Message) => Message): Message {
  return model.withMessages(
    MODEL.graph,
    model.messages(MODEL.graph).map((graph) => rewriteGraph(graph, rewrite)),
  );
}

function rewriteGraph(graph: Message, rewrite: (tensor: Message) => Message): Message {
  const nodes = graph.messages(GRAPH.node).map((node) => {
    const attributes = node.messages(NODE.attribute);
    if (!attributes.some((attribute) => subgraphFields.some((field) => attribute.all(field).length > 0))) return node;
    const rewritten = attributes.map((attribute) =>
      subgraphFields.reduce((changed, field) => {
        const graphs = changed.messages(field);
        return graphs.length === 0
          ? changed
          : changed.withMessages(
              field,
              graphs.map((inner) => rewriteGraph(inner, rewrite)),
            );
      }, attribute),
    );
    return node.withMessages(NODE.attribute, rewritten);
  });
  const tensors = graph.messages(GRAPH.initializer);
  const withNodes = graph.withMessages(GRAPH.node, nodes);
  return tensors.length === 0 ? withNodes : withNodes.withMessages(GRAPH.initializer, tensors.map(rewrite));
}

const subgraphFields = [ATTRIBUTE.graph, ATTRIBUTE.graphs] as const;
