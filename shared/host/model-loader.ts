import type { Manifest } from '../repository/manifest.ts';
import type { BatchMember, BatchRun, RunResult } from '../runtime/batch.ts';
import type { WorkerCrashedError } from '../runtime/errors.ts';
import type { OutputOf, TaskInput } from '../runtime/tasks.ts';

/** A model that answers, wherever it runs. */
export interface LoadedWorker {
  /** Bytes of its WebAssembly heap, which never shrinks. */
  readonly heapBytes: number;
  /**
   * @throws InferenceFailedError, UnsupportedLanguageError, WorkerCrashedError, or the signal's reason
   */
  run<Input extends TaskInput>(input: Input, signal?: AbortSignal): Promise<RunResult<OutputOf<Input>>>;
  /** Runs inputs that share a `batchKey` together. */
  runBatch<Input extends TaskInput>(members: readonly BatchMember<Input>[]): BatchRun<OutputOf<Input>>;
  /** Ends it and gives back its memory and its hold on the files. */
  end(): Promise<void>;
}

export interface LoadObserver {
  /** `bytesResumed`: of these, what earlier attempts had left on disk. */
  onDownloaded(progress: { bytesDone: number; bytesResumed: number; bytesTotal: number }): void;
  onInitializing(): void;
  onWarming(): void;
  /** The worker died by itself, at any time after the load began. */
  onCrash(error: WorkerCrashedError): void;
}

/** Brings one version from S3 to a warm worker. The host alone calls it. */
export interface ModelLoader {
  /**
   * @returns when one real inference has been made
   * @throws any CasaLinguaError, whose `retryable` says whether another try makes sense; or the signal's reason.
   *   Nothing is left behind by a load that fails: no worker, no hold on files.
   */
  load(manifest: Manifest, observer: LoadObserver, signal: AbortSignal): Promise<LoadedWorker>;
  /** The instance has been frozen: whatever is under way over sockets goes on over fresh ones, from where it was. */
  thawed(): void;
}
