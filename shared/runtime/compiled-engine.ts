import { open } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { OptimisingThreads } from './engine/optimising-threads.ts';

/** The engine of this process: compiled once, shared by the workers of all models. */
export interface CompiledEngine {
  /** The worker's script. */
  readonly worker: URL;
  /** onnxruntime-web's loader, beside its WebAssembly module. */
  readonly glue: URL;
  /** A graph that a worker without a model has to itself. */
  readonly rehearsal: URL;
  /** The one compilation; after one that failed, another is begun. */
  compiled(): Promise<WebAssembly.Module>;
  /** Threads that each session computes with. */
  readonly threads: number;
  /** V8's own, which make it faster while it runs. */
  readonly optimising: OptimisingThreads;
}

/**
 * What a function may run before V8 optimises it, in V8's own unit: as Node 24 has it by itself. With Node 20's, a seventh of it, two
 * functions of half a megabyte and more were optimised that a load calls a few times: 3.5 s of a processor and up to 217 MB.
 */
const TIERING_BUDGET = 13_000_000;

/**
 * Starts to compile the engine, which takes longer than anything else in a cold start; V8 does so on threads of its own.
 * @param folder holds `worker.mjs`, `rehearsal.onnx`, `ort-wasm-simd-threaded.mjs` and `ort-wasm-simd-threaded.wasm`; ends with a slash
 */
export function compileEngine(folder: URL, threads: number): CompiledEngine {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  const optimising = new OptimisingThreads();
  let underWay: Promise<WebAssembly.Module> | undefined;
  const compiled = () => {
    if (underWay === undefined) {
      underWay = readAtOnce(new URL('ort-wasm-simd-threaded.wasm', folder)).then((bytes) => WebAssembly.compile(bytes));
      // Told to whoever loads a model now; a later load must not fail for want of a file handle or memory then.
      underWay.catch(() => {
        underWay = undefined;
      });
    }
    return underWay;
  };
  void compiled();
  return {
    worker: new URL('worker.mjs', folder),
    glue: new URL('ort-wasm-simd-threaded.mjs', folder),
    rehearsal: new URL('rehearsal.onnx', folder),
    compiled,
    threads,
    optimising,
  };
}

/** Piece by piece, as `readFile` has it, every piece would wait for a main thread that is busy with its start. */
async function readAtOnce(file: URL): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(size), 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
