import type { OrtModule } from './engine/ort-module.ts';
import type { HostTensor } from './engine/session.ts';
import { WasmSession } from './engine/wasm-session.ts';

/** Tokens in a first step, as in a sentence, and in one that follows it. */
const STEPS = [
  { length: 7, past: 0 },
  { length: 1, past: 7 },
] as const;
/** Of the graph's cache. */
const HEADS = 4;
const HEAD_WIDTH = 16;
/** What V8 optimises is what is called often; each more holds up a model that is there by then. */
const REPETITIONS = 4;

/**
 * V8 compiles each function of the engine when it is called for the first time: nearly all that a first sentence takes longer than
 * the next. A worker that waits for its model calls most of them with a graph that means nothing (`infra/models/rehearsal-graph.ts`).
 * @param module whose heap is not that of the model: a file of weights is laid out in the order in which an engine asks for them whose
 *   heap was empty, and what lay there before changes it
 * @param path of `rehearsal.onnx`
 * @throws InferenceFailedError, ModelUnsupportedError
 */
export async function rehearse(module: OrtModule, path: string): Promise<void> {
  const session = await WasmSession.open(module, path, 'optimised');
  for (const { length, past } of Array.from({ length: REPETITIONS }, () => STEPS).flat()) {
    const feeds: Readonly<Record<string, HostTensor>> = {
      ids: { type: 'int64', dims: [1, length], data: new BigInt64Array(length).fill(3n) },
      mask: { type: 'int64', dims: [1, past + length], data: new BigInt64Array(past + length).fill(1n) },
      past: { type: 'float32', dims: [1, HEADS, past, HEAD_WIDTH], data: new Float32Array(HEADS * past * HEAD_WIDTH) },
      is_first: { type: 'bool', dims: [1], data: Uint8Array.of(past === 0 ? 1 : 0) },
    };
    session.run(feeds, ['logits', 'keys']);
  }
}
