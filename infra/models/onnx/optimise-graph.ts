import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { currentHeap, uint32At } from '../../../shared/runtime/engine/heap-tensor.ts';
import { engineError, type OrtModule, startOrtModule } from '../../../shared/runtime/engine/ort-module.ts';
import { Message } from './message.ts';

const OPTIMISE_ALL = 99;
const LOG_FATAL = 4;
const MODEL_GRAPH = 7;

/** `(file, vectors, count, writtenPointer) => status`, as WASI has it. */
type FileWrite = (file: number, vectors: number, count: number, written: number) => number;

/**
 * A graph as the engine rewrites it whenever it creates a session, so that loads need not do it again: for the small
 * translation models that is most of the time of a load. It is the very engine that will run it which rewrites it.
 *
 * The engine can write the optimised graph to a file, but its build for the web has no files: opening one yields number 0
 * and closing it fails. What it writes in between is the graph, which is taken from the call that it writes with.
 * @param file an ONNX file with its weights inside
 */
export async function optimiseGraph(file: Uint8Array): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const module = await startEngine(written);
  const model = module._malloc(file.length);
  currentHeap(module).set(file, model);
  const path = utf8(module, 'optimised.onnx');
  const options = module._OrtCreateSessionOptions(OPTIMISE_ALL, false, false, 0, false, 0, 0, LOG_FATAL, 0, path);
  await module._OrtCreateSession(model, file.length, options);
  const optimised = Buffer.concat(written);
  if (optimised.length === 0 || Message.decode(optimised).all(MODEL_GRAPH).length !== 1) {
    const cause = engineError(module, 'load the graph');
    throw new Error('onnxruntime-web did not write the optimised graph: has its version changed?', { cause });
  }
  return optimised;
}

async function startEngine(written: Uint8Array[]): Promise<OrtModule> {
  const require = createRequire(import.meta.url);
  const glue = require.resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');
  const wasm = await readFile(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  const state: { module?: OrtModule } = {};
  const module = await startOrtModule(pathToFileURL(glue), await WebAssembly.compile(wasm), 1, (imports) => {
    for (const namespace of Object.values(imports)) {
      for (const [name, imported] of Object.entries(namespace)) {
        if (isFileWrite(imported)) {
          namespace[name] = ((file, vectors, count, total) =>
            state.module !== undefined && file === 0
              ? capture(state.module, written, vectors, count, total)
              : imported(file, vectors, count, total)) satisfies FileWrite;
        }
      }
    }
  });
  state.module = module;
  return module;
}

/** The imports have one-letter names; this one alone looks for the ends of lines to print. */
function isFileWrite(imported: unknown): imported is FileWrite {
  return typeof imported === 'function' && /0===\w+\|\|10===\w+/.test(imported.toString());
}

function capture(module: OrtModule, written: Uint8Array[], vectors: number, count: number, total: number): number {
  let bytes = 0;
  const table = uint32At(module, vectors, 2 * count);
  for (let index = 0; index < count; index++) {
    const [start = 0, length = 0] = table.subarray(2 * index);
    written.push(currentHeap(module).slice(start, start + length));
    bytes += length;
  }
  uint32At(module, total, 1)[0] = bytes;
  return 0;
}

function utf8(module: OrtModule, text: string): number {
  const size = module.lengthBytesUTF8(text) + 1;
  const pointer = module._malloc(size);
  module.stringToUTF8(text, pointer, size);
  return pointer;
}
