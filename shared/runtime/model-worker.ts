import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ArrivingFile } from '../repository/arrival.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { BatchMember, BatchRun, RunResult } from './batch.ts';
import type { CompiledEngine } from './compiled-engine.ts';
import type { OptimisingThreads } from './engine/optimising-threads.ts';
import {
  InferenceFailedError,
  ModelUnsupportedError,
  OutOfMemoryError,
  UnsupportedLanguageError,
  WorkerCrashedError,
} from './errors.ts';
import { HangWatch } from './hang-watch.ts';
import { PostedBatch } from './posted-batch.ts';
import type { OutputOf, TaskInput, TaskOutput } from './tasks.ts';
import type { Answer, FromWorker, ToWorker, WorkerFault, WorkerStart } from './worker-protocol.ts';

export interface LoadOptions {
  readonly manifest: Manifest;
  /** Absolute path of each file that the runtime needs, by its path in the manifest. */
  readonly files: ReadonlyMap<string, string>;
  /** While the file of the weights is still on its way: it is read as it comes, by a thread that waits for it. */
  readonly arrivingWeights?: ArrivingFile | undefined;
  /** Inferences before READY; at least 1. */
  readonly warmUp: number;
  readonly onWarming: () => void;
}

export interface WorkerOptions {
  /** For which a thread may go on with a run that was cancelled, in ms that this process ran. */
  readonly hangMs?: number | undefined;
  /** Whether it calls what a model would before it has one. @default false */
  readonly rehearses?: boolean;
}

interface Waiting<Value> {
  resolve(value: Value): void;
  reject(reason: unknown): void;
}

/** Awake ms in which a thread must react to a cancellation; the largest step of the largest models takes nearly as long. */
const HANG_MS = 30_000;

/** One model's thread, seen from the main one. Ending it gives all its memory back. */
export class ModelWorker {
  readonly #worker: Worker;
  readonly #optimising: OptimisingThreads;
  /** What the thread has not answered yet. */
  readonly #runs = new Map<number, PostedBatch<TaskOutput>>();
  #loading: (Waiting<{ heapBytes: number }> & { onWarming: () => void; onEnded: () => void }) | undefined;
  #nextRun = 1;
  #ended: WorkerCrashedError | undefined;
  readonly #onEnd: (error: WorkerCrashedError) => void;
  readonly #hangs: HangWatch;

  /**
   * The thread starts while the engine is still being compiled, and starts the engine as soon as it is.
   * @param onEnd called once when the thread has ended by itself, crashed or out of memory, hangs in a run that was cancelled, or
   *   has no engine because that cannot be compiled
   */
  static start(
    engine: CompiledEngine,
    onEnd: (error: WorkerCrashedError) => void,
    { hangMs = HANG_MS, rehearses = false }: WorkerOptions = {},
  ): ModelWorker {
    const rehearsal = rehearses ? fileURLToPath(engine.rehearsal) : undefined;
    const workerData: WorkerStart = { glue: engine.glue.href, threads: engine.threads, rehearsal };
    const worker = new ModelWorker(
      new Worker(engine.worker, { workerData, name: 'model' }),
      engine.optimising,
      onEnd,
      hangMs,
    );
    engine.compiled().then(
      (compiled) => worker.#post({ type: 'engine', compiled }),
      (cause: unknown) => {
        worker.#end(new WorkerCrashedError('the engine could not be compiled', { cause }));
        void worker.#worker.terminate();
      },
    );
    return worker;
  }

  private constructor(
    worker: Worker,
    optimising: OptimisingThreads,
    onEnd: (error: WorkerCrashedError) => void,
    hangMs: number,
  ) {
    this.#worker = worker;
    this.#optimising = optimising;
    this.#onEnd = onEnd;
    const inSeconds = Math.round(hangMs / 1000);
    this.#hangs = new HangWatch(hangMs, () =>
      this.#end(new WorkerCrashedError(`the model worker hangs: it went on for ${inSeconds} s with a cancelled run`)),
    );
    // An idle model must not keep a process alive; whoever waits for an answer has a socket or a timer.
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (cause) => this.#end(crashOf(cause)));
    worker.on('exit', (code) => this.#end(new WorkerCrashedError(`the model worker ended with code ${code}`)));
  }

  /** @throws ModelUnsupportedError, InferenceFailedError, WorkerCrashedError, OutOfMemoryError */
  load({ manifest, files, arrivingWeights, warmUp, onWarming }: LoadOptions): Promise<{ heapBytes: number }> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#loading = { resolve, reject, onWarming, onEnded: this.#optimising.loadBegins(bytesOf(manifest)) };
      this.#worker.ref();
      this.#post({ type: 'load', manifest, files, arrivingWeights, warmUp });
    });
  }

  /**
   * Runs one task; runs queue up in the thread.
   * @throws InferenceFailedError, UnsupportedLanguageError, WorkerCrashedError, or the signal's reason
   */
  run<Input extends TaskInput>(input: Input, signal?: AbortSignal): Promise<RunResult<OutputOf<Input>>> {
    const [result] = this.runBatch([{ input, signal }]).results;
    return result as Promise<RunResult<OutputOf<Input>>>;
  }

  /**
   * Runs inputs that share a `batchKey` together, each with a signal of its own; batches and runs queue up in the thread.
   * Results fail as those of `run` do; what fails in the engine fails for all.
   */
  runBatch<Input extends TaskInput>(members: readonly BatchMember<Input>[]): BatchRun<OutputOf<Input>> {
    const id = this.#nextRun++;
    const batch = new PostedBatch<OutputOf<Input>>(members, () => this.#hangs.cancelled(id));
    if (this.#ended !== undefined) batch.died(this.#ended);
    else if (batch.isAwaited) {
      this.#runs.set(id, batch);
      this.#worker.ref();
      this.#post({ type: 'run', id, inputs: members.map(({ input }) => input), cancelled: batch.cancelled });
      this.#hangs.posted(id);
    }
    return batch;
  }

  /** Ends the thread, whatever it is doing; what is under way fails with WorkerCrashedError. */
  async terminate(): Promise<void> {
    this.#end(new WorkerCrashedError('the model was unloaded'), { expected: true });
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'warming':
        this.#loading?.onWarming();
        return;
      case 'ready':
        this.#finishLoading()?.resolve({ heapBytes: message.heapBytes });
        return;
      case 'load-failed':
        this.#finishLoading()?.reject(errorOf(message.fault));
        return;
      case 'done':
        this.#answered(message.id, message.computeMs, (member) => {
          const answer = message.answers[member] as Answer;
          return answer.kind === 'done' ? answer.output : errorOf(answer.fault);
        });
        return;
      case 'run-failed':
        this.#answered(message.id, message.computeMs, () => errorOf(message.fault));
        return;
    }
  }

  #finishLoading(): Waiting<{ heapBytes: number }> | undefined {
    const loading = this.#loading;
    this.#loading = undefined;
    loading?.onEnded();
    this.#rest();
    return loading;
  }

  #answered(id: number, computeMs: number, answerOf: (member: number) => TaskOutput | Error): void {
    this.#hangs.answered(id);
    this.#runs.get(id)?.answered(computeMs, answerOf);
    this.#runs.delete(id);
    this.#rest();
  }

  #rest(): void {
    // A thread that is being ended still answers what was cancelled: the process has to stay until it has ended.
    if (this.#ended !== undefined) return;
    if (this.#runs.size === 0 && this.#loading === undefined) this.#worker.unref();
  }

  #end(error: WorkerCrashedError, { expected = false } = {}): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#hangs.stop();
    this.#finishLoading()?.reject(error);
    for (const batch of this.#runs.values()) batch.died(error);
    this.#runs.clear();
    if (!expected) this.#onEnd(error);
  }
}

function bytesOf({ files }: Manifest): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** What a thread died of. Of its own words only the code or the name is told: they may quote what it was given. */
function crashOf(cause: unknown): WorkerCrashedError {
  const { code, name } = cause instanceof Error ? (cause as NodeJS.ErrnoException) : {};
  if (code === 'OUT_OF_MEMORY' || code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new OutOfMemoryError('the model worker ran out of memory', { cause });
  }
  return new WorkerCrashedError(`the model worker crashed: ${code ?? name ?? typeof cause}`, { cause });
}

function errorOf({ code, message }: WorkerFault): Error {
  switch (code) {
    case 'MODEL_UNSUPPORTED':
      return new ModelUnsupportedError(message);
    case 'UNSUPPORTED_LANGUAGE':
      return new UnsupportedLanguageError(message);
    case 'CANCELLED':
    case 'INFERENCE_FAILED':
      return new InferenceFailedError(message);
  }
}
