import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The element types of ONNX that we write, with their numbers in `TensorProto.DataType`. */
const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
type ElementType = keyof typeof elementTypes;

export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** A constant of the graph. */
export interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** An integer, a list of integers, a float, or a branch, which sees the values of the graph that it is in. */
export type Attribute = number | readonly number[] | { readonly float: number } | Graph;

/** One operation. */
export interface GraphNode {
  readonly operator: string;
  /** Where an operator is not ONNX's own. */
  readonly domain?: 'com.microsoft';
  readonly inputs: readonly string[];
  readonly output: string;
  readonly moreOutputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** An input or output of the graph; a dimension with a name can have any size. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly Tensor[];
}

/** One of ONNX's own operations, with one output. */
export function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: GraphNode['attributes'] = {},
): GraphNode {
  return { operator, inputs, output, attributes };
}

const formatVersion = 8;
const operatorSetVersion = 17;
const ATTRIBUTE_TYPE = { float: 1, integer: 2, graph: 5, integers: 7 } as const;

/** The number of an element type, as `Cast` wants it. */
export function elementTypeNumber(type: ElementType): number {
  return elementTypes[type];
}

/** The graph as an ONNX file (protobuf `ModelProto`): the same bytes for the same graph. */
export function encodeOnnx(graph: Graph): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, 1, formatVersion);
  text(writer, 2, 'casalingua');
  message(writer, 7, () => writeGraph(writer, graph));
  const domains = new Set(graph.nodes.map(({ domain }) => domain));
  for (const [domain, version] of [
    ['', operatorSetVersion],
    ['com.microsoft', 1],
  ] as const) {
    if (domain !== '' && !domains.has(domain)) continue;
    message(writer, 8, () => {
      text(writer, 1, domain);
      integer(writer, 2, version);
    });
  }
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: Graph): void {
  for (const node of graph.nodes) {
    message(writer, 1, () => writeNode(writer, node));
  }
  text(writer, 2, graph.name);
  for (const tensor of graph.constants) {
    message(writer, 5, () => writeTensor(writer, tensor));
  }
  for (const value of graph.inputs) {
    message(writer, 11, () => writeValue(writer, value));
  }
  for (const value of graph.outputs) {
    message(writer, 12, () => writeValue(writer, value));
  }
}

function writeNode(writer: BinaryWriter, node: GraphNode): void {
  for (const input of node.inputs) {
    text(writer, 1, input);
  }
  for (const output of [node.output, ...(node.moreOutputs ?? [])]) {
    text(writer, 2, output);
  }
  text(writer, 3, node.output);
  text(writer, 4, node.operator);
  if (node.domain !== undefined) {
    text(writer, 7, node.domain);
  }
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    message(writer, 5, () => writeAttribute(writer, name, value));
  }
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  if (typeof value === 'number') {
    integer(writer, 3, value);
    integer(writer, 20, ATTRIBUTE_TYPE.integer);
  } else if (isList(value)) {
    for (const item of value) {
      integer(writer, 8, item);
    }
    integer(writer, 20, ATTRIBUTE_TYPE.integers);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    integer(writer, 20, ATTRIBUTE_TYPE.float);
  } else {
    message(writer, 6, () => writeGraph(writer, value));
    integer(writer, 20, ATTRIBUTE_TYPE.graph);
  }
}

function isList(value: Attribute): value is readonly number[] {
  return Array.isArray(value);
}

function writeTensor(writer: BinaryWriter, tensor: Tensor): void {
  const { data } = tensor;
  for (const size of tensor.dims) {
    integer(writer, 1, size);
  }
  integer(writer, 2, elementTypes[elementTypeOf(data)]);
  text(writer, 8, tensor.name);
  // ONNX wants little-endian bytes, which is what a typed array has on every platform that runs Node.
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function elementTypeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) {
    return 'float32';
  }
  if (data instanceof Int32Array) {
    return 'int32';
  }
  if (data instanceof BigInt64Array) {
    return 'int64';
  }
  return data instanceof Int8Array ? 'int8' : 'uint8';
}

function writeValue(writer: BinaryWriter, value: GraphValue): void {
  text(writer, 1, value.name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      integer(writer, 1, elementTypes[value.type]);
      message(writer, 2, () => {
        for (const size of value.dims) {
          message(writer, 1, () => (typeof size === 'number' ? integer(writer, 1, size) : text(writer, 2, size)));
        }
      });
    }),
  );
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}
