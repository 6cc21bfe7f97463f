import type { LoadedWorker, LoadObserver, ModelLoader } from '../../shared/host/model-loader.ts';
import { type Manifest, modelKey } from '../../shared/repository/manifest.ts';
import type { BatchMember, BatchRun, RunResult } from '../../shared/runtime/batch.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { OutputOf, TaskInput } from '../../shared/runtime/tasks.ts';

/** A worker that answers with its number, and ends when the script says so or, by default, at once. */
export class ScriptedWorker implements LoadedWorker {
  readonly key: string;
  readonly number: number;
  crashed = false;
  /** How often it was told to end. */
  endings = 0;
  readonly load: ScriptedLoad;
  readonly heapBytes = 5 * 1024 * 1024;
  readonly #loader: ScriptedLoader;

  constructor(loader: ScriptedLoader, load: ScriptedLoad) {
    this.#loader = loader;
    this.load = load;
    this.key = load.key;
    this.number = loader.workers.length;
  }

  async run<Input extends TaskInput>(_: Input, signal?: AbortSignal): Promise<RunResult<OutputOf<Input>>> {
    this.#loader.ran.push(this);
    signal?.throwIfAborted();
    if (this.crashed) throw new WorkerCrashedError('it crashed');
    const output = { task: 'language-detection', detections: [[{ language: 'en', confidence: this.number }]] };
    return { output: output as unknown as OutputOf<Input>, computeMs: 1 };
  }

  runBatch<Input extends TaskInput>(members: readonly BatchMember<Input>[]): BatchRun<OutputOf<Input>> {
    const results = members.map(({ input, signal }) => this.run(input, signal));
    return { results, ended: Promise.allSettled(results).then(() => 1) };
  }

  end(): Promise<void> {
    this.endings++;
    return this.#loader.onEnd(this);
  }
}

/** One call of `load`, which the script brings to an end. */
export interface ScriptedLoad {
  readonly key: string;
  readonly observer: LoadObserver;
  readonly signal: AbortSignal;
  readonly settled: boolean;
  succeed(): ScriptedWorker;
  fail(error: Error): void;
}

export interface ScriptedLoaderOptions {
  /** Awaited before a worker has ended. */
  readonly onEnd?: (worker: ScriptedWorker) => Promise<void>;
  /** Whether a load fails with the signal's reason when it is aborted; default true. The race is lost otherwise. */
  readonly obeysAbort?: boolean;
}

/** Loads nothing: whoever tests decides how and when each load ends. */
export class ScriptedLoader implements ModelLoader {
  readonly loads: ScriptedLoad[] = [];
  readonly workers: ScriptedWorker[] = [];
  /** The worker of each run, in order. */
  readonly ran: ScriptedWorker[] = [];
  /** How often it was told that the instance had been frozen. */
  thaws = 0;
  readonly onEnd: (worker: ScriptedWorker) => Promise<void>;
  readonly #obeysAbort: boolean;

  constructor({ onEnd = async () => {}, obeysAbort = true }: ScriptedLoaderOptions = {}) {
    this.onEnd = onEnd;
    this.#obeysAbort = obeysAbort;
  }

  /** The latest load. */
  get last(): ScriptedLoad {
    const load = this.loads.at(-1);
    if (load === undefined) throw new Error('nothing was loaded');
    return load;
  }

  /** Workers that nobody has told to end. */
  get alive(): readonly ScriptedWorker[] {
    return this.workers.filter((worker) => worker.endings === 0);
  }

  inFlight(key: string): number {
    return this.loads.filter((load) => load.key === key && !load.settled).length;
  }

  load(manifest: Manifest, observer: LoadObserver, signal: AbortSignal): Promise<LoadedWorker> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const fail = (error: unknown) => {
        settled = true;
        reject(error);
      };
      const load: ScriptedLoad = {
        key: modelKey(manifest),
        observer,
        signal,
        get settled() {
          return settled;
        },
        succeed: () => {
          const worker = new ScriptedWorker(this, load);
          this.workers.push(worker);
          settled = true;
          resolve(worker);
          return worker;
        },
        fail,
      };
      this.loads.push(load);
      if (this.#obeysAbort) signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    });
  }

  thawed(): void {
    this.thaws++;
  }
}

/** The manifest of a small model. */
export function scriptedManifest(
  id: string,
  version = '1.0.0',
  memory: Manifest['memory'] = { peakMb: 10, residentMb: 5 },
): Manifest {
  const file = { size: 50, sha256: '0'.repeat(64) };
  return {
    schema: 1,
    id,
    version,
    task: 'language-detection',
    languages: ['en'],
    engine: 'onnxruntime-web',
    graphs: 'exported',
    files: [
      { ...file, path: 'model.onnx', role: 'classifier' },
      { ...file, path: 'features.bin', role: 'tokenizer' },
      { ...file, path: 'README.md', role: 'other' },
    ],
    memory,
    licence: 'Apache-2.0',
    source: 'a test',
  };
}
