import type { ArrivingFile } from '../repository/arrival.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { TaskInput, TaskOutput } from './tasks.ts';

/** What a worker is started with. */
export interface WorkerStart {
  /** URL of `ort-wasm-simd-threaded.mjs`. */
  readonly glue: string;
  /** Threads of the engine. */
  readonly threads: number;
  /** Path of the graph to rehearse with before there is a model. */
  readonly rehearsal?: string | undefined;
}

export type ToWorker =
  | {
      /** Once, before or after what is to be loaded. */
      readonly type: 'engine';
      /** Compiled once in this process and shared. */
      readonly compiled: WebAssembly.Module;
    }
  | {
      readonly type: 'load';
      readonly manifest: Manifest;
      /** Absolute path of each of the manifest's files that the runtime needs. */
      readonly files: ReadonlyMap<string, string>;
      /** The weights, while they are still on their way. */
      readonly arrivingWeights: ArrivingFile | undefined;
      /** Inferences before READY. */
      readonly warmUp: number;
    }
  | {
      readonly type: 'run';
      readonly id: number;
      /** One or more callers' inputs, which share a `batchKey`. */
      readonly inputs: readonly TaskInput[];
      /** For each caller an Int32: not 0 once nobody wants its answer any more. */
      readonly cancelled: SharedArrayBuffer;
    };

export interface WorkerFault {
  readonly code: 'INFERENCE_FAILED' | 'MODEL_UNSUPPORTED' | 'UNSUPPORTED_LANGUAGE' | 'CANCELLED';
  readonly message: string;
}

/** What one caller's input came to. */
export type Answer =
  | { readonly kind: 'done'; readonly output: TaskOutput }
  | { readonly kind: 'failed'; readonly fault: WorkerFault };

export type FromWorker =
  | { readonly type: 'warming' }
  | { readonly type: 'ready'; readonly heapBytes: number }
  | { readonly type: 'load-failed'; readonly fault: WorkerFault }
  | { readonly type: 'done'; readonly id: number; readonly answers: readonly Answer[]; readonly computeMs: number }
  /** The engine failed, for all that were in it. */
  | { readonly type: 'run-failed'; readonly id: number; readonly fault: WorkerFault; readonly computeMs: number };
