import { withFloatWeights } from './float-weights.ts';
import { Message } from './message.ts';
import { TENSOR } from './onnx-fields.ts';

/** Columns from which on a weight is taken for the projection onto the vocabulary. */
export const VOCABULARY_COLUMNS = 2000;

/**
 * Has the projection onto the vocabulary computed in float32: onnxruntime-web's int8 kernel packs the whole weight anew at
 * every call, which for one row costs three times the multiplication itself. The weight is stored as float32, dequantised:
 * a load that had to do that would take longer than one that gets the bytes. A graph without such a projection comes back as
 * it was.
 * @param file an ONNX file that the engine has optimised, with its weights inside
 */
export function withFloatProjection(file: Uint8Array): Uint8Array {
  const elementsOf = (tensor: Message) => tensor.all(TENSOR.rawData)[0] ?? new Uint8Array();
  const options = { minimumColumns: VOCABULARY_COLUMNS, elementsOf };
  return withFloatWeights(Message.decode(file), options)?.encode() ?? file;
}
