import type { Manifest } from '../repository/manifest.ts';
import type { OutputOf, TaskInput } from '../runtime/tasks.ts';

/** Design part 6. QUEUED belongs to the load queue, which stands between `lease` and the load. */
export type ModelState =
  | 'UNLOADED'
  | 'QUEUED'
  | 'DOWNLOADING'
  | 'INITIALIZING'
  | 'WARMING'
  | 'READY'
  | 'DRAINING'
  | 'FAILED';

export interface ModelStatus {
  readonly id: string;
  readonly version: string;
  readonly state: ModelState;
  /** 0 to 1. */
  readonly progress: number;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
  readonly leases: number;
  /** Wall clock, ms since the epoch. */
  readonly startedAt?: number;
  readonly readyAt?: number;
  readonly lastUsedAt?: number;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

/** One request's hold on a ready model. */
export interface Lease {
  readonly manifest: Manifest;
  /**
   * Runs one task in the model's worker.
   * @throws InferenceFailedError when the worker or the engine failed, WorkerCrashedError when the worker died,
   *   the signal's reason when it was aborted (the generation stops at its next step).
   */
  run<Input extends TaskInput>(input: Input, options?: { signal?: AbortSignal }): Promise<OutputOf<Input>>;
  /** Gives the hold back; calling it again does nothing. */
  release(): void;
}

/** Owns every model of this instance: nobody else starts or ends a worker. */
export interface ModelHost {
  /**
   * A hold on the model, which is loaded first if need be; whoever asks while it loads joins that load.
   * @throws ModelLoadFailedError, or the signal's reason when the caller stops waiting (the load goes on).
   */
  lease(manifest: Manifest, options?: { signal?: AbortSignal }): Promise<Lease>;
  /** Drains and unloads: resolves when the worker has ended. An unknown key does nothing. */
  unload(key: string): Promise<void>;
  /** Every model that this instance has touched. */
  status(): readonly ModelStatus[];
  close(): Promise<void>;
}
