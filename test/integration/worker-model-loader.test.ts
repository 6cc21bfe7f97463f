import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadObserver } from '../../shared/host/model-loader.ts';
import { createWorkerModelLoader, type WorkerModelLoaderOptions } from '../../shared/host/worker-model-loader.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCorruptError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { folderStore } from '../support/folder-store.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';

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

function createLoader(store = folderStore(folder), options: Partial<WorkerModelLoaderOptions> = {}) {
  const cache = new FileCache({ folder: cacheFolder, maxBytes: 1e9, identity: thisProcess(), clock: systemClock });
  const settings = { partBytes: 4_000_000, concurrency: 4, attempts: 1, stallMs: 10_000 };
  const downloader = new Downloader({ store, cache, settings, clock: systemClock, random: Math.random });
  return createWorkerModelLoader({ downloader, engine, warmUp: 1, ...options });
}

/** Notes what a load tells. */
function observe() {
  const told: string[] = [];
  let bytesDone = 0;
  let bytesTotal = Number.NaN;
  const observer: LoadObserver = {
    onDownloaded(progress) {
      ({ bytesDone, bytesTotal } = progress);
    },
    onInitializing: () => told.push('initializing'),
    onWarming: () => told.push('warming'),
    onCrash: (error) => told.push(error.message),
  };
  return { observer, told, share: () => bytesDone / bytesTotal };
}

/** Worker threads of this process. */
const threads = () => (process.report.getReport() as unknown as { workers: readonly unknown[] }).workers.length;
/** Holds on the model's files. */
const holds = async () => (await readdir(join(cacheFolder, manifest.id, manifest.version, 'leases'))).length;

const english = (text: string): TranslationInput => ({
  task: 'translation',
  texts: [text],
  source: 'en',
  target: 'es',
});

describe('a load', () => {
  test('brings a version from the store to a worker that translates', async () => {
    const { observer, told, share } = observe();

    const worker = await createLoader().load(manifest, observer, never);

    expect(told).toEqual(['initializing', 'warming']);
    expect(share()).toBe(1);
    const { output } = await worker.run(english('Good morning.'));
    expect(output.translations[0]?.text).toBe('Buenos días.');
    expect([threads(), await holds()]).toEqual([1, 1]);
    await worker.end();
    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('can replace the manifest’s number of beams', async () => {
    const worker = await createLoader(folderStore(folder), { numBeams: 1 }).load(manifest, observe().observer, never);
    // Greedy search and beam search translate it differently.
    const text = 'After years of suffering, he finally decided that it was time to begin a new life somewhere else.';
    const stepsOf = async (input: TranslationInput) => (await worker.run(input)).output;

    const byDefault = await stepsOf(english(text));

    expect(byDefault).toEqual(await stepsOf({ ...english(text), numBeams: 1 }));
    expect(byDefault).not.toEqual(await stepsOf({ ...english(text), numBeams: 4 }));
    await worker.end();
  });
});

describe('a load that fails leaves no worker and no hold on files', () => {
  test('of a file that is not what the manifest says', async () => {
    const flipped = folderStore(folder, (bytes, name) => (name === 'config.json' ? bytes.toReversed() : bytes));

    await expect(createLoader(flipped).load(manifest, observe().observer, never)).rejects.toThrow(FileCorruptError);

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up while it downloads', async () => {
    const controller = new AbortController();
    const { observer, told } = observe();
    const store = folderStore(folder, (bytes) => {
      controller.abort(new Error('not wanted any more'));
      return bytes;
    });

    await expect(createLoader(store).load(manifest, observer, controller.signal)).rejects.toThrow('not wanted');

    expect(told).toEqual([]);
    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('that is given up while it warms up', async () => {
    const controller = new AbortController();
    const { observer } = observe();
    const givingUp = { ...observer, onWarming: () => controller.abort(new Error('not wanted any more')) };

    await expect(createLoader().load(manifest, givingUp, controller.signal)).rejects.toThrow('not wanted');

    expect([threads(), await holds()]).toEqual([0, 0]);
  });

  test('for want of a cache folder', async () => {
    await rm(cacheFolder, { recursive: true });
    await writeFile(cacheFolder, 'a file where the folder should be');

    await expect(createLoader().load(manifest, observe().observer, never)).rejects.toThrow();

    expect(threads()).toBe(0);
  });

  test('with a worker that dies, and tells of it', async () => {
    const dying = new URL(`data:text/javascript,${encodeURIComponent('process.exit(7)')}`);
    const { observer, told } = observe();
    const loader = createLoader(folderStore(folder), { engine: { ...engine, worker: dying } });

    await expect(loader.load(manifest, observer, never)).rejects.toThrow(WorkerCrashedError);

    expect(told.filter((what) => what.includes('code 7'))).toHaveLength(1);
    expect([threads(), await holds()]).toEqual([0, 0]);
  });
});
