/** The part of transformers.js that is measured; the package itself comes with the first run of a benchmark. */
declare module '@huggingface/transformers' {
  export const env: {
    allowRemoteModels: boolean;
    localModelPath: string;
    useWasmCache: boolean;
    readonly backends: { readonly onnx: { readonly wasm?: { wasmPaths: string; numThreads: number } } };
  };
  export function pipeline(
    task: 'translation',
    model: string,
    options: { dtype: 'q8'; session_options: Readonly<Record<string, unknown>> },
  ): Promise<
    (texts: string[], options: { num_beams: number }) => Promise<readonly { readonly translation_text: string }[]>
  >;
}
