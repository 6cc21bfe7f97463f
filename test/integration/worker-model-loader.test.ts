import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FileCorruptError } from '../../shared/repository/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { SpareWorker } from '../../shared/runtime/spare-worker.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { withWorker } from '../support/faulty-engine.ts';
import { folderStore } from '../support/folder-store.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';
import { createLoader, holds as holdsOf, observe, type TestLoaderOptions, threads } from '../support/worker-loads.ts';

const engine = deployedEngine();
const folder = modelFolder['translate-en-es'];
const never = new AbortController().signal;

let manifest: Manifest;
let cacheFolder: string;
beforeAll(async () => {
  ({ manifest } = await modelOnDisk(folder));
});
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'casalingua-loader-'));
});
afterEach(() => rm(cacheFolder, { recursive: true, force: true }));

/** A loader of the translation model, changed where a test says so. */
const loader = (changes: Partial<TestLoaderOptions> = {}) =>
  createLoader({ engine, store: folderStore(folder), cacheFolder, ...changes });
const holds = () => holdsOf(cacheFolder, manifest);

const english = (text: string): TranslationInput => ({
  task: 'translation',
  texts: [text],
  source: 'en',
  target: 'es',
});

describe('a load', () => {
  test('brings a version from the store to a worker that translates', async () => {
    const { observer, told, share } = observe();

    const worker = await loader().load(manifest, observer, never);

    expect(told).toEqual(['initializing', 'warming']);
    expect(share()).toBe(1);
    expect(worker.heapBytes).toBeGreaterThan(10_000_000);
    const { output, computeMs } = await worker.run(english('Good morning.'));
    expect(computeMs).toBeGreaterThan(0);
    expect(output.translations[0]?.text).toBe('Buenos días.');
    expect([threads(), await holds()]).toEqual([1, 1]);
    await worker.end();
    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('can replace the manifest’s number of beams', async () => {
    const worker = await loader({ numBeams: 1 }).load(manifest, observe().observer, never);
    // Greedy search and beam search translate it differently.
    const text = 'After years of suffering, he finally decided that it was time to begin a new life somewhere else.';
    const stepsOf = async (input: TranslationInput) => (await worker.run(input)).output;

    const byDefault = await stepsOf(english(text));

    expect(byDefault).toEqual(await stepsOf({ ...english(text), numBeams: 1 }));
    expect(byDefault).not.toEqual(await stepsOf({ ...english(text), numBeams: 4 }));
    await worker.end();
  });
});

describe('a thread that was started before', () => {
  const load = (spare: SpareWorker, changes: Partial<Manifest> = {}) =>
    loader({ spare }).load({ ...manifest, ...changes } as Manifest, observe().observer, never);

  test('is that of the first load, and of no other', async () => {
    const spare = new SpareWorker(engine);
    await expect.poll(threads).toBe(1);

    const first = await load(spare);
    expect(threads()).toBe(1);
    const second = await load(spare);

    expect(threads()).toBe(2);
    await Promise.all([first.end(), second.end(), spare.end()]);
    expect(threads()).toBe(0);
  });

  test('makes room for one that computes with as many threads as the model wants', async () => {
    // This one could not load it.
    const spare = new SpareWorker({ ...withWorker(engine, 'setInterval(() => undefined, 1e6)'), threads: 3 });
    await expect.poll(threads).toBe(1);

    const worker = await load(spare, { loading: { order: 'recorded', threads: 1, recordedWith: 'this test' } });

    expect(threads()).toBe(1);
    await worker.end();
  });

  test('is not waited for when it has died', async () => {
    const started = once(process, 'worker');
    const died = new SpareWorker(withWorker(engine, 'process.exit(7)'));
    const [thread] = await started;
    await once(thread, 'exit');

    const worker = await load(died);

    expect(threads()).toBe(1);
    await worker.end();
  });

  test('tells the load that has it when it dies', async () => {
    const dying =
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', ({ type }) => type === 'load' && process.exit(7))";
    const { observer, told } = observe();
    const spare = new SpareWorker(withWorker(engine, dying));

    await expect(loader({ spare }).load(manifest, observer, never)).rejects.toThrow('code 7');

    expect(told.filter((what) => what.includes('code 7'))).toHaveLength(1);
    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('rehearses before it has a model, which no other does', async () => {
    const nowhere = { ...engine, rehearsal: new URL('file:///nowhere/rehearsal.onnx') };

    await expect(load(new SpareWorker(nowhere))).rejects.toThrow(WorkerCrashedError);
    const worker = await loader({ engine: nowhere }).load(manifest, observe().observer, never);

    await worker.end();
  });

  test('is ended when nobody has taken it', async () => {
    const spare = new SpareWorker(engine);
    await expect.poll(threads).toBe(1);

    await spare.end();

    expect(threads()).toBe(0);
  });
});

describe('a load that fails leaves no worker and no hold on files', () => {
  test('of a file that is not what the manifest says', async () => {
    const flipped = folderStore(folder, (bytes, name) => (name === 'config.json' ? bytes.toReversed() : bytes));

    await expect(loader({ store: flipped }).load(manifest, observe().observer, never)).rejects.toThrow(
      FileCorruptError,
    );

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up before it begins', async () => {
    const given = AbortSignal.abort(new Error('not wanted any more'));

    await expect(loader().load(manifest, observe().observer, given)).rejects.toThrow('not wanted');

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up while the engine is still being compiled', async () => {
    const controller = new AbortController();
    const compiling = { ...engine, compiled: () => new Promise<WebAssembly.Module>(() => undefined) };
    const { observer } = observe();
    const givingUp = { ...observer, onDownloaded: () => controller.abort(new Error('not wanted any more')) };

    await expect(loader({ engine: compiling }).load(manifest, givingUp, controller.signal)).rejects.toThrow(
      'not wanted',
    );

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('whose download fails while the engine is still being compiled: nobody waits for the engine', async () => {
    const compiling = { ...engine, compiled: () => new Promise<WebAssembly.Module>(() => undefined) };
    const flipped = folderStore(folder, (bytes, name) => (name === 'config.json' ? bytes.toReversed() : bytes));

    const loading = loader({ engine: compiling, store: flipped }).load(manifest, observe().observer, never);
    await expect(loading).rejects.toThrow(FileCorruptError);

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up while it downloads', async () => {
    const controller = new AbortController();
    const { observer, told } = observe();
    const store = folderStore(folder, (bytes) => {
      controller.abort(new Error('not wanted any more'));
      return bytes;
    });

    await expect(loader({ store }).load(manifest, observer, controller.signal)).rejects.toThrow('not wanted');

    expect(told).toEqual([]);
    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up while it warms up', async () => {
    const controller = new AbortController();
    const { observer } = observe();
    const givingUp = { ...observer, onWarming: () => controller.abort(new Error('not wanted any more')) };

    await expect(loader().load(manifest, givingUp, controller.signal)).rejects.toThrow('not wanted');

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('for want of a cache folder', async () => {
    await rm(cacheFolder, { recursive: true });
    await writeFile(cacheFolder, 'a file where the folder should be');

    await expect(loader().load(manifest, observe().observer, never)).rejects.toThrow();

    expect(threads()).toBe(0);
  });

  test('with a worker that dies, and tells of it', async () => {
    const { observer, told } = observe();
    const dying = loader({ engine: withWorker(engine, 'process.exit(7)') });

    await expect(dying.load(manifest, observer, never)).rejects.toThrow(WorkerCrashedError);

    expect(told.filter((what) => what.includes('code 7'))).toHaveLength(1);
    expect([threads(), await holds()]).toEqual([0, 0]);
  });
});

test('a thaw lets the downloads go on over fresh connections', () => {
  let renewed = 0;
  const store = { ...folderStore(folder), renewConnections: () => renewed++ };

  loader({ store }).thawed();

  expect(renewed).toBe(1);
});
