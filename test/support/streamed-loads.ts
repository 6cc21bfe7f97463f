import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadedWorker, LoadObserver } from '../../shared/host/model-loader.ts';
import type { ObjectStore, RangeRequest } from '../../shared/repository/object-store.ts';
import { SMALL_PART_BYTES } from '../../shared/repository/ranges.ts';
import type { CompiledEngine } from '../../shared/runtime/compiled-engine.ts';
import type { SpareWorker } from '../../shared/runtime/spare-worker.ts';
import { withEngineChange } from './faulty-engine.ts';
import { folderStore } from './folder-store.ts';
import { generateModel } from './generated-model.ts';
import { deployedEngine, type ModelOnDisk } from './real-model.ts';
import { createLoader, observe } from './worker-loads.ts';

const MIB = 2 ** 20;
/** Weights are three, of 4 MiB each. */
const WEIGHTS_MIB = 12;
/** Where each part of the weights begins. */
const PARTS = Array.from({ length: (WEIGHTS_MIB * MIB) / SMALL_PART_BYTES }, (_, index) => index * SMALL_PART_BYTES);
/** Where the last one does. */
export const LAST_PART = PARTS.at(-1) ?? 0;
export const never = new AbortController().signal;

type Answer = Awaited<ReturnType<ObjectStore['getRange']>>;

/** A model whose weights are three of 4 MiB in a file of their own, in the order in which the engine asks for them. */
export class StreamedLoads {
  readonly engine = deployedEngine();
  readonly work: string;
  readonly folder: string;
  #model: ModelOnDisk | undefined;
  #answer: unknown;

  private constructor(work: string) {
    this.work = work;
    this.folder = join(work, 'model');
  }

  static async start(): Promise<StreamedLoads> {
    const stage = new StreamedLoads(await mkdtemp(join(tmpdir(), 'casalingua-streamed-')));
    using heard = stage.listening();
    const options = { weightsMb: WEIGHTS_MIB, layout: 'external' } as const;
    stage.#model = await generateModel(stage.folder, options);
    const cacheOf = (name: string) => join(stage.work, name);
    await (await stage.load(folderStore(stage.folder), cacheOf('by number'), { engine: heard.engine })).end();
    await heard.asks(3);
    const order = heard.asked.map((end) => end / (4 * MIB) - 1);
    stage.#model = await generateModel(stage.folder, { ...options, order });
    const worker = await stage.load(folderStore(stage.folder), cacheOf('in order'));
    stage.#answer = await answerOf(worker);
    await worker.end();
    return stage;
  }

  get model(): ModelOnDisk {
    if (this.#model === undefined) throw new Error('the model is not there yet');
    return this.#model;
  }

  /** What the model answers. */
  get answer(): unknown {
    return this.#answer;
  }

  load(
    store: ObjectStore,
    cacheFolder: string,
    options: { engine?: CompiledEngine; spare?: SpareWorker; observer?: LoadObserver; signal?: AbortSignal } = {},
  ): Promise<LoadedWorker> {
    const { engine = this.engine, spare, observer = observe().observer, signal = never } = options;
    const given = spare === undefined ? {} : { spare };
    return createLoader({ engine, store, cacheFolder, ...given }).load(this.model.manifest, observer, signal);
  }

  /** The model's store; `weights` says what becomes of a GET for its weights. */
  storeWith(weights: (request: RangeRequest, answer: () => Promise<Answer>) => Promise<Answer>): ObjectStore {
    const store = folderStore(this.folder);
    return {
      ...store,
      getRange: (key, request) => {
        const answered = () => store.getRange(key, request);
        return key.endsWith('weights.bin') ? weights(request, answered) : answered();
      },
    };
  }

  /** The engine, and what its sessions ask for: the end of each range, as soon as it is asked for. */
  listening() {
    const channel = new BroadcastChannel('streamed-load');
    const asked: number[] = [];
    const waiting = new Set<() => void>();
    channel.onmessage = ({ data }: { data: unknown }) => {
      asked.push(data as number);
      for (const wake of waiting) wake();
    };
    const engine = withEngineChange(
      this.engine,
      `const mount = module.mountExternalData;
      const channel = new BroadcastChannel('streamed-load');
      module.mountExternalData = (name, data) => mount(name, {
        byteLength: data.byteLength,
        subarray: (begin, end) => { channel.postMessage(end); return data.subarray(begin, end); },
      });`,
    );
    return {
      engine,
      asked,
      /** Resolves when so many ranges have been asked for: all before the last are read then. */
      async asks(count: number): Promise<void> {
        while (asked.length < count) {
          await new Promise<void>((resolve) => {
            waiting.add(resolve);
          });
        }
      },
      [Symbol.dispose]: () => channel.close(),
    };
  }

  /** An attempt that leaves the first part of the weights on disk. @returns what the next one has to fetch */
  async giveUpAfterFirstPart(cacheFolder: string): Promise<readonly number[]> {
    const given = new AbortController();
    const store = this.storeWith(async ({ start, signal }, answered) =>
      start === 0 ? answered() : untilAborted(signal),
    );
    const observer: LoadObserver = {
      ...observe().observer,
      onDownloaded: ({ bytesDone, bytesTotal }) => {
        // All that is left are the other parts.
        if (bytesTotal - bytesDone === LAST_PART) given.abort(new Error('not now'));
      },
    };
    await this.load(store, cacheFolder, { observer, signal: given.signal }).catch(() => undefined);
    return PARTS.slice(1);
  }

  /** Files of its own that this process has open; on Linux, which tells. */
  openFiles(): string[] {
    if (!existsSync('/proc/self/fd')) return [];
    return readdirSync('/proc/self/fd').flatMap((descriptor) => {
      try {
        const path = readlinkSync(join('/proc/self/fd', descriptor));
        return path.startsWith(this.work) ? [path] : [];
      } catch {
        return [];
      }
    });
  }

  async close(): Promise<void> {
    await rm(this.work, { recursive: true, force: true });
  }
}

export async function answerOf(worker: LoadedWorker): Promise<unknown> {
  const { output } = await worker.run({ task: 'language-detection', texts: ['Good morning.'] });
  return output;
}

export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** What a load fails with, and what it had told until then. */
export async function failureOf(load: (observer: LoadObserver) => Promise<LoadedWorker>) {
  const { observer, told } = observe();
  try {
    await (await load(observer)).end();
  } catch (thrown) {
    return { failure: thrown as Error, told };
  }
  throw new Error('the load succeeded');
}
