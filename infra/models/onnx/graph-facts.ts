import { dataPlaces } from './external-data.ts';
import type { Message } from './message.ts';
import {
  ATTRIBUTE,
  type ElementTypeName,
  elementTypeName,
  GRAPH,
  MODEL,
  NODE,
  OPERATOR_SET,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from './onnx-fields.ts';

/** An input or output as the graph declares it. */
export interface GraphPort {
  readonly name: string;
  readonly type: ElementTypeName;
}

/** What an import has to know of a graph. */
export interface GraphFacts {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** Version of ONNX's own operator set. */
  readonly operatorSet: number;
  /** Names of all operators, those in branches included. */
  readonly operators: ReadonlySet<string>;
  /** Bytes of the weights that lie outside the graph. */
  readonly weightBytes: number;
}

/** @param model a `ModelProto` */
export function graphFacts(model: Message): GraphFacts {
  const [graph] = model.messages(MODEL.graph);
  if (graph === undefined) return { inputs: [], outputs: [], operatorSet: 0, operators: new Set(), weightBytes: 0 };
  // Old exporters list the weights among the inputs.
  const weights = new Set(graph.messages(GRAPH.initializer).map((tensor) => tensor.text(TENSOR.name)));
  const own = model
    .messages(MODEL.operatorSet)
    .find((set) =>
      ['', 'ai.onnx'].includes(set.all(OPERATOR_SET.domain).length === 0 ? '' : set.text(OPERATOR_SET.domain)),
    );
  return {
    inputs: graph
      .messages(GRAPH.input)
      .map(portOf)
      .filter(({ name }) => !weights.has(name)),
    outputs: graph.messages(GRAPH.output).map(portOf),
    operatorSet: own?.integers(OPERATOR_SET.version)[0] ?? 0,
    operators: new Set(operatorsOf(graph)),
    weightBytes: dataPlaces(model).reduce((sum, { length }) => sum + length, 0),
  };
}

function portOf(value: Message): GraphPort {
  const [tensor] = value.messages(VALUE.type).flatMap((type) => type.messages(TYPE.tensor));
  return { name: value.text(VALUE.name), type: elementTypeName(tensor?.integers(TENSOR_TYPE.elementType)[0] ?? 0) };
}

function operatorsOf(graph: Message): string[] {
  return graph
    .messages(GRAPH.node)
    .flatMap((node) => [
      node.text(NODE.operator),
      ...node
        .messages(NODE.attribute)
        .flatMap((attribute) =>
          [ATTRIBUTE.graph, ATTRIBUTE.graphs].flatMap((field) => attribute.messages(field)).flatMap(operatorsOf),
        ),
    ]);
}
