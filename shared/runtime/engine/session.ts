/** A tensor in JavaScript's memory. `data` has the product of `dims` elements. */
export type HostTensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly type: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly type: 'bool'; readonly dims: readonly number[]; readonly data: Uint8Array };

/**
 * One loaded graph. `run` is synchronous: it happens in a worker of its own, so nobody else waits.
 * @throws InferenceFailedError with the engine's words.
 */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, HostTensor>>, fetches: readonly string[]): HostTensor[];
}
