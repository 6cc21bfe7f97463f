import { InferenceFailedError } from '../errors.ts';
import type { ExternalData } from './external-weights.ts';

/**
 * The part of onnxruntime-web's WebAssembly module that we call: the C API that its own JavaScript layer stands on
 * (`ort-wasm-simd-threaded.mjs`, an export of the package). We call it directly because that layer copies every input
 * and output of every step between two heaps; a decoder's cache would make that journey once per token. Pointers are
 * byte offsets into the module's heap. `test/integration/engine.test.ts` fails if a later version changes what is used.
 */
export interface OrtModule {
  readonly PTR_SIZE: number;
  readonly HEAPU8: Uint8Array;
  stackSave(): number;
  stackRestore(stack: number): void;
  stackAlloc(bytes: number): number;
  getValue(pointer: number, type: 'i8' | 'i32' | '*'): number | bigint;
  UTF8ToString(pointer: number): string;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  lengthBytesUTF8(text: string): number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _OrtInit(threads: number, logLevel: number): number;
  _OrtGetLastError(codePointer: number, messagePointer: number): number;
  _OrtCreateSessionOptions(
    graphOptimization: number,
    memoryArena: boolean,
    memoryPattern: boolean,
    executionMode: number,
    profiling: boolean,
    profilePrefix: number,
    logId: number,
    logLevel: number,
    logVerbosity: number,
    optimizedModelPath: number,
  ): number;
  _OrtAddSessionConfigEntry(options: number, key: number, value: number): number;
  _OrtReleaseSessionOptions(options: number): number;
  /** What a graph refers to by this name, for the sessions that are created until it is unmounted. */
  mountExternalData(name: string, data: ExternalData): void;
  unmountExternalData(): void;
  _OrtCreateSession(bytes: number, size: number, options: number): number | Promise<number>;
  _OrtGetInputOutputCount(session: number, inputs: number, outputs: number): number;
  _OrtGetInputOutputMetadata(session: number, index: number, name: number, metadata: number): number;
  _OrtFree(pointer: number): void;
  _OrtCreateTensor(type: number, data: number, bytes: number, dims: number, rank: number, location: number): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, dims: number, rank: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtCreateRunOptions(logLevel: number, logVerbosity: number, terminate: boolean, tag: number): number;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number | Promise<number>;
}

interface OrtModuleOptions {
  readonly numThreads: number;
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): void;
}

const LOG_FATAL = 4;

/**
 * Starts the engine in this thread, with a heap of its own, and never two at a time: a failed start poisons the thread for good
 * (design part 4, fact 3).
 * @param glue URL of `ort-wasm-simd-threaded.mjs`
 * @param compiled the module beside it, compiled by whoever started this thread and shared by all its workers; may still be on its way
 * @param adaptImports sees what the engine calls of its surroundings before it starts
 */
export async function startOrtModule(
  glue: URL,
  compiled: WebAssembly.Module | Promise<WebAssembly.Module>,
  threads: number,
  adaptImports: (imports: WebAssembly.Imports) => void = () => undefined,
): Promise<OrtModule> {
  const { default: create }: { default: (options: OrtModuleOptions) => Promise<OrtModule> } = await import(glue.href);
  const compiledModule = await compiled;
  const module = await create({
    numThreads: threads,
    instantiateWasm: (imports, done) => {
      adaptImports(imports);
      done(new WebAssembly.Instance(compiledModule, imports), compiledModule);
    },
  });
  checkStatus(module, module._OrtInit(threads, LOG_FATAL), 'start');
  return module;
}

/** @throws InferenceFailedError with the engine's words when `status` is not 0 */
export function checkStatus(module: OrtModule, status: number | Promise<number>, doing: string): void {
  if (status === 0) return;
  throw engineError(module, doing);
}

export function engineError(module: OrtModule, doing: string): InferenceFailedError {
  const stack = module.stackSave();
  try {
    const out = module.stackAlloc(2 * module.PTR_SIZE);
    module._OrtGetLastError(out, out + module.PTR_SIZE);
    const words = module.UTF8ToString(Number(module.getValue(out + module.PTR_SIZE, '*')));
    return new InferenceFailedError(`onnxruntime-web could not ${doing}: ${words}`);
  } finally {
    module.stackRestore(stack);
  }
}
