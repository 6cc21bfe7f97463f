import type { LoadingStrategy } from '../config/model-loading.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { BatchMember, BatchRun, RunResult } from '../runtime/batch.ts';
import type { OutputOf, TaskInput } from '../runtime/tasks.ts';
import type { ModelState } from './model-state.ts';

/** Who goes first: somebody who waits for one answer, somebody who sent many texts, nobody. */
export type LoadPriority = 'interactive' | 'batch' | 'background';

export interface ModelStatus {
  readonly id: string;
  readonly version: string;
  readonly state: ModelState;
  /** 0 to 1. */
  readonly progress: number;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
  readonly leases: number;
  /** Requests that wait for it. */
  readonly waiting: number;
  /** MB: reserved while it loads, measured once it is READY, 0 otherwise. */
  readonly memoryMb: number;
  /** MB of its WebAssembly heap when it became READY; while it is, on the instance itself. */
  readonly heapMb?: number;
  /** Loads begun since it was last READY or unloaded; 0 before the first. */
  readonly attempts: number;
  /** It is never unloaded by the host itself. */
  readonly stays: boolean;
  /** It is QUEUED, and its load would begin if the fleet had a permit for it. */
  readonly waitsForPermit?: true;
  /** What a load that is on its way still takes, as far as can be told, queue included. */
  readonly secondsLeft?: number;
  /** Wall clock, ms since the epoch, like the others; of the load that is on its way or has ended last. */
  readonly startedAt?: number;
  readonly readyAt?: number;
  readonly lastUsedAt?: number;
  /** When the next attempt may begin: of a load that waits after a failure, or that has FAILED for now. */
  readonly nextTryAt?: number;
  /** Why the latest attempt failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

export interface MemoryReport {
  readonly protected: boolean;
  /** Undefined, like the next two, when memory cannot be read. */
  readonly limitMb: number | undefined;
  /** What models may take together. */
  readonly budgetMb: number | undefined;
  readonly rssMb: number | undefined;
  /** By models that load, are READY or are on their way out. */
  readonly reservedMb: number;
}

/** The host at this moment, for health. */
export interface HostReport {
  readonly strategy: LoadingStrategy;
  readonly models: readonly ModelStatus[];
  readonly queue: {
    /** Models that wait for their load to begin. */
    readonly size: number;
    readonly limit: number;
    /** `id@version` of the loads in progress. */
    readonly loading: readonly string[];
  };
  readonly memory: MemoryReport;
}

/** One request's hold on a ready model. */
export interface Lease {
  readonly manifest: Manifest;
  /** What runs it: inputs may share a batch where this is the same. */
  readonly worker: object;
  /**
   * Runs one task in the model's worker.
   * @throws InferenceFailedError when the worker or the engine failed, WorkerCrashedError when the worker died,
   *   the signal's reason when it was aborted (the generation stops at its next step).
   */
  run<Input extends TaskInput>(input: Input, options?: { signal?: AbortSignal }): Promise<RunResult<OutputOf<Input>>>;
  /** Runs inputs that share a `batchKey` together, each with a signal and a result of its own, which fails as a run does. */
  runBatch<Input extends TaskInput>(members: readonly BatchMember<Input>[]): BatchRun<OutputOf<Input>>;
  /** Gives the hold back; calling it again does nothing. */
  release(): void;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Default: `interactive`. */
  readonly priority?: LoadPriority;
}

export interface LeaseOptions extends WaitOptions {
  /** Ms to keep the model after this lease; 0 unloads it then, a negative number keeps it. Default: the configuration's. */
  readonly keepAliveMs?: number;
}

/** Owns every model of this instance: nobody else starts or ends a worker. */
export interface ModelHost {
  /**
   * A hold on the model, which is loaded first if need be; whoever asks while it loads joins that load. While a new
   * version loads, the one that is READY serves.
   * @throws ModelLoadFailedError, QueueFullError, CannotFitError, MemoryShortError, MemoryUnreadableError,
   *   ModelDrainingError when the host is closed, or the signal's reason when the caller stops waiting (the load goes on)
   */
  lease(manifest: Manifest, options?: LeaseOptions): Promise<Lease>;
  /** Whether any version of the model is READY. */
  isReady(id: string): boolean;
  /** Loads this version without a hold on it. @throws as `lease`; ModelLoadingError after `timeoutMs` */
  ensureReady(manifest: Manifest, options?: WaitOptions & { readonly timeoutMs?: number }): Promise<void>;
  /** Loads this version though nobody waits, behind those that somebody waits for, and again when it is lost. */
  preload(manifest: Manifest): void;
  /** Drains and unloads: resolves when the worker has ended. An unknown key (`id@version`) does nothing. */
  unload(key: string): Promise<void>;
  /**
   * Keeps every version of the model that is wanted, as `always_loaded_models` does, until then (ms since the epoch) or until
   * it is unpinned. Loads nothing.
   */
  pin(id: string, untilMs?: number): void;
  unpin(id: string): void;
  /** Every model that this instance has touched. */
  status(): readonly ModelStatus[];
  report(): HostReport;
  /**
   * Does what is due by the clock: sweeps, retries, time limits. Whoever serves requests calls it at the start of each,
   * since no timer runs while an instance is frozen.
   */
  wake(): void;
  /** The instance may be frozen from now on: until the next `wake` no time counts against a load. */
  rest(): void;
  close(): Promise<void>;
}
