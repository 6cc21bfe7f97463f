import { rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CasaLinguaError } from '../../shared/errors.ts';
import type { LoadedWorker } from '../../shared/host/model-loader.ts';
import { CacheFullError, FileCorruptError } from '../../shared/repository/errors.ts';
import type { ObjectStore } from '../../shared/repository/object-store.ts';
import { OutOfMemoryError, WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { withEngineChange, withHeapOf, withWorker } from '../support/faulty-engine.ts';
import { folderStore } from '../support/folder-store.ts';
import { generateModel } from '../support/generated-model.ts';
import { deployedEngine, type ModelOnDisk, modelFolder, modelOnDisk } from '../support/real-model.ts';
import { createLoader, holds, observe, type TestLoaderOptions, threads } from '../support/worker-loads.ts';

/** Real workers and files, each with one real fault; another model of the same process serves all the time. */

const engine = deployedEngine();
const never = new AbortController().signal;
const translationFolder = modelFolder['translate-en-es'];

let workFolder: string;
let generatedFolder: string;
let generated: ModelOnDisk;
let translation: ModelOnDisk;
let bystander: LoadedWorker;
beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'casalingua-faults-'));
  generatedFolder = join(workFolder, 'generated');
  generated = await generateModel(generatedFolder, { weightsMb: 40 });
  translation = await modelOnDisk(translationFolder);
  const { manifest } = await modelOnDisk(modelFolder['language-detection']);
  const store = folderStore(modelFolder['language-detection']);
  const loader = createLoader({ engine, store, cacheFolder: join(workFolder, 'bystander') });
  bystander = await loader.load(manifest, observe().observer, never);
});
afterAll(async () => {
  await bystander.end();
  await rm(workFolder, { recursive: true, force: true });
});

let cacheFolder: string;
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(workFolder, 'cache-'));
});
/** Whatever happened: no thread is left but the bystander's, and no hold on the files. */
afterEach(async () => {
  expect(threads()).toBe(1);
  expect(await holds(cacheFolder, generated.manifest)).toBe(0);
  expect(await holds(cacheFolder, translation.manifest)).toBe(0);
});

interface Fault extends Partial<TestLoaderOptions> {
  readonly model?: ModelOnDisk;
  readonly signal?: AbortSignal;
  /** At the moment when the files are there and the thread is to load them. */
  readonly onInitializing?: () => void;
}

/** What the load fails with; the bystander answers until then, and afterwards. */
async function failureOf(fault: Fault): Promise<{ failure: CasaLinguaError; told: readonly string[] }> {
  const { model = generated, signal = never, onInitializing = () => undefined, ...options } = fault;
  const store = folderStore(model === generated ? generatedFolder : translationFolder);
  const { observer, told } = observe();
  const loading = createLoader({ engine, store, cacheFolder, ...options }).load(
    model.manifest,
    { ...observer, onInitializing },
    signal,
  );
  let over = false;
  const failure = loading.then(
    () => expect.unreachable('the load succeeded'),
    (thrown: CasaLinguaError) => thrown,
  );
  void failure.finally(() => {
    over = true;
  });
  for (let isLast = false; !isLast; ) {
    isLast = over;
    const { output } = await bystander.run({ task: 'language-detection', texts: ['¿Dónde está la biblioteca?'] });
    expect(output.detections[0]?.[0]?.language).toBe('es');
  }
  return { failure: await failure, told };
}

describe('a worker that dies', () => {
  const onCreate = (what: string) => withEngineChange(engine, `module._OrtCreateSession = () => { ${what} };`);
  const onRun = (what: string) => withEngineChange(engine, `module._OrtRun = () => { ${what} };`);
  const trap = "throw new WebAssembly.RuntimeError('unreachable');";

  test.each([
    ['killed in session creation', onCreate('process.exit(9);'), 'code 9'],
    ['killed in the warm-up', onRun('process.exit(9);'), 'code 9'],
    ['of a trap in session creation', onCreate(trap), 'RuntimeError'],
    ['of a trap in the warm-up', onRun(trap), 'RuntimeError'],
    ['of an exception of the engine that nobody caught', onCreate('throw 5245184;'), 'crashed'],
    ['of an engine that does not start', { ...engine, glue: new URL('file:///nowhere.mjs') }, 'ERR_MODULE_NOT_FOUND'],
  ])('%s fails the load for now, once', async (_, faulty, words) => {
    const { failure, told } = await failureOf({ engine: faulty });

    expect(failure).toBeInstanceOf(WorkerCrashedError);
    expect(failure).toMatchObject({ code: 'WORKER_CRASHED', retryable: true });
    expect(failure.message).toContain(words);
    expect(told.filter((what) => what === failure.message)).toHaveLength(1);
  });

  test('killed in the download fails the load at once: the download does not go on for it', async () => {
    const faulty = withWorker(engine, 'setImmediate(() => process.exit(9));');

    const { failure } = await failureOf({ engine: faulty, store: silentStore() });

    expect(failure).toMatchObject({ code: 'WORKER_CRASHED', retryable: true });
  });

  test('cannot even be started while the engine is not compiled: that ends the download, too', async () => {
    const faulty = { ...engine, compiled: () => Promise.reject(new Error('EMFILE: too many open files')) };

    const { failure } = await failureOf({ engine: faulty, store: silentStore() });

    expect(failure).toMatchObject({
      code: 'WORKER_CRASHED',
      retryable: true,
      message: expect.stringContaining('compiled'),
    });
  });

  test('of a file that was evicted before it was read fails the load for now', async () => {
    const onInitializing = () => rmSync(join(cacheFolder, generated.manifest.id), { recursive: true });

    const { failure } = await failureOf({ onInitializing });

    expect(failure).toMatchObject({
      code: 'WORKER_CRASHED',
      retryable: true,
      message: expect.stringContaining('ENOENT'),
    });
  });
});

describe('a heap without room', () => {
  test.each([
    ['for the weights', 32],
    ['for the session', 96],
  ])('%s fails the load for now, under a code of its own', async (_, megabytes) => {
    const { failure, told } = await failureOf({ engine: await withHeapOf(engine, megabytes, workFolder) });

    expect(failure).toBeInstanceOf(OutOfMemoryError);
    expect(failure).toMatchObject({ code: 'OUT_OF_MEMORY', retryable: true });
    expect(told).toEqual([failure.message]);
  });

  test('for the tensors of the warm-up fails it likewise', async () => {
    const full = `
      const open = module._OrtCreateSession;
      module._OrtCreateSession = async (...given) => {
        const session = await open(...given);
        module._malloc = () => 0;
        return session;
      };`;

    const { failure } = await failureOf({ engine: withEngineChange(engine, full) });

    expect(failure).toMatchObject({ code: 'OUT_OF_MEMORY', retryable: true });
  });
});

describe('a worker that hangs', () => {
  test.each([
    ['and waits for ever', "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => {});"],
    ['and computes for ever', 'for (;;);'],
  ])('%s ends when the load is given up', async (_, worker) => {
    const controller = new AbortController();
    const onInitializing = () => queueMicrotask(() => controller.abort(new Error('timed out')));

    const { failure } = await failureOf({
      engine: withWorker(engine, worker),
      signal: controller.signal,
      onInitializing,
    });

    expect(failure.message).toBe('timed out');
  });

  test('in session creation ends in the middle of it', async () => {
    const controller = new AbortController();
    const channel = new BroadcastChannel('load-faults');
    const heard: unknown[] = [];
    channel.onmessage = ({ data }: { data: unknown }) => {
      heard.push(data);
      controller.abort(new Error('timed out'));
    };
    const telling = withEngineChange(
      engine,
      `const create = module._OrtCreateSession;
      const channel = new BroadcastChannel('load-faults');
      module._OrtCreateSession = (...given) => {
        channel.postMessage('creating');
        for (;;) create(...given);
      };`,
    );

    const { failure } = await failureOf({ engine: telling, signal: controller.signal });

    channel.close();
    expect(failure.message).toBe('timed out');
    expect(heard).toEqual(['creating']);
  });
});

describe('a cache folder without room', () => {
  const bytes = ({ manifest }: ModelOnDisk) => manifest.files.reduce((sum, { size }) => sum + size, 0);

  test('for the model even when it is empty fails the load for good', async () => {
    const { failure } = await failureOf({ maxBytes: bytes(generated) - 1_000_000 });

    expect(failure).toBeInstanceOf(CacheFullError);
    expect(failure).toMatchObject({ code: 'CACHE_FULL', retryable: false });
  });

  test('beside a model that is in use fails the load for now; when that one has ended, it succeeds', async () => {
    const maxBytes = bytes(generated) + 1_000_000;
    const options = { engine, store: folderStore(translationFolder), cacheFolder, maxBytes };
    const other = await createLoader(options).load(translation.manifest, observe().observer, never);

    const loading = createLoader({ ...options, store: folderStore(generatedFolder) }).load(
      generated.manifest,
      observe().observer,
      never,
    );
    await expect(loading).rejects.toMatchObject({ code: 'CACHE_FULL', retryable: true });

    await other.end();
    const store = folderStore(generatedFolder);
    const worker = await createLoader({ ...options, store }).load(generated.manifest, observe().observer, never);
    await worker.end();
  });
});

describe('a file of the model', () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ['truncated', (path) => truncate(path, 1_000_000)],
    ['with one bit turned', turnOneBit],
  ])('that lies %s in the store fails the load for good, before the thread sees it', async (_, damage) => {
    const folder = join(cacheFolder, 'damaged');
    await cp(generatedFolder, folder, { recursive: true });
    await damage(join(folder, 'model.onnx'));

    const { failure, told } = await failureOf({ store: folderStore(folder) });

    expect(failure).toBeInstanceOf(FileCorruptError);
    expect(failure).toMatchObject({ code: 'FILE_CORRUPT', retryable: false });
    expect(told).toEqual([]);
  });
});

async function turnOneBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** A store that takes requests and sends nothing until they are given up. */
function silentStore(): ObjectStore {
  return {
    ...folderStore(generatedFolder),
    getRange: (_, { signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
}
