/** Numbers of the fields and types of `onnx.proto` that are read or written here. */

export const MODEL = { producer: 2, graph: 7, operatorSet: 8 } as const;
export const OPERATOR_SET = { domain: 1, version: 2 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = { name: 1, tensor: 5, graph: 6, graphs: 11 } as const;
export const TENSOR = { dims: 1, elementType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 } as const;
export const ENTRY = { key: 1, value: 2 } as const;
export const VALUE = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1 } as const;
export const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
export const SHAPE = { dimension: 1 } as const;
export const DIMENSION = { size: 1, name: 2 } as const;

/** `TensorProto.DataLocation`. */
export const EXTERNAL = 1;

/** `TensorProto.DataType` by name, with the bytes of one element where they are whole. */
const ELEMENT_TYPES = [
  ['undefined', 0],
  ['float32', 4],
  ['uint8', 1],
  ['int8', 1],
  ['uint16', 2],
  ['int16', 2],
  ['int32', 4],
  ['int64', 8],
  ['string', 0],
  ['bool', 1],
  ['float16', 2],
  ['float64', 8],
  ['uint32', 4],
  ['uint64', 8],
  ['complex64', 8],
  ['complex128', 16],
  ['bfloat16', 2],
] as const;

export type ElementTypeName = (typeof ELEMENT_TYPES)[number][0] | 'another type';

export function elementTypeName(code: number): ElementTypeName {
  return ELEMENT_TYPES[code]?.[0] ?? 'another type';
}

/** 0 where elements have no size of their own or share bytes. */
export function elementBytes(code: number): number {
  return ELEMENT_TYPES[code]?.[1] ?? 0;
}
