import type { Manifest } from '../repository/manifest.ts';
import type { TaskInput, TaskOutput } from './tasks.ts';

/** What a worker is started with. */
export interface WorkerStart {
  /** URL of `ort-wasm-simd-threaded.mjs`. */
  readonly glue: string;
  /** The engine, compiled once in this process and shared. */
  readonly compiled: WebAssembly.Module;
  /** Threads of the engine. */
  readonly threads: number;
}

export type ToWorker =
  | {
      readonly type: 'load';
      readonly manifest: Manifest;
      /** Absolute path of each of the manifest's files that the runtime needs. */
      readonly files: ReadonlyMap<string, string>;
      /** Inferences before READY. */
      readonly warmUp: number;
    }
  | { readonly type: 'run'; readonly id: number; readonly input: TaskInput; readonly cancelled: SharedArrayBuffer };

export interface WorkerFault {
  readonly code: 'INFERENCE_FAILED' | 'MODEL_UNSUPPORTED' | 'UNSUPPORTED_LANGUAGE' | 'CANCELLED';
  readonly message: string;
}

export type FromWorker =
  | { readonly type: 'warming' }
  | { readonly type: 'ready'; readonly heapBytes: number }
  | { readonly type: 'load-failed'; readonly fault: WorkerFault }
  | { readonly type: 'done'; readonly id: number; readonly output: TaskOutput; readonly computeMs: number }
  | { readonly type: 'run-failed'; readonly id: number; readonly fault: WorkerFault };
