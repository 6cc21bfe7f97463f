import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Downloader } from '../../shared/repository/download.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { type Fault, FaultStore, manifestOf, sha256 } from './download-fault-store.ts';

const PART_BYTES = 1_000;
const given = new Error('given up');

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-download-'));
  folders.push(folder);
  return folder;
}

/** A process of its own: it knows of the earlier ones what they left on disk. */
function startProcess(store: FaultStore, folder: string, attempts: number, concurrency = 3): Downloader {
  const clock = { now: () => 1_000_000, sleep: () => Promise.resolve() };
  const cache = new FileCache({ folder, maxBytes: 200_000, identity: { own: 'me', isAlive: () => false }, clock });
  const settings = { partBytes: PART_BYTES, concurrency, attempts, stallMs: 20 };
  const downloader = new Downloader({ store, cache, settings, clock, random: () => 0.5 });
  store.onFreeze = () => downloader.thawed();
  return downloader;
}

const after = fc.nat(1_200);
const freeze = after.map((bytes): Fault => ({ kind: 'freeze', after: bytes }));
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>({ kind: 'none' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'unavailable' }) },
  { weight: 2, arbitrary: after.map((bytes): Fault => ({ kind: 'cut', after: bytes })) },
  { weight: 2, arbitrary: after.map((bytes): Fault => ({ kind: 'reset', after: bytes })) },
  { weight: 2, arbitrary: freeze },
  { weight: 1, arbitrary: after.map((bytes): Fault => ({ kind: 'kill', after: bytes })) },
  { weight: 1, arbitrary: after.map((bytes): Fault => ({ kind: 'stall', after: bytes })) },
);
const someBytes = fc.integer({ min: 1, max: 1_200 });
/** Ends that cost no attempt. */
const early: fc.Arbitrary<Fault> = fc.oneof(
  freeze,
  someBytes.map((bytes): Fault => ({ kind: 'cut', after: bytes })),
  someBytes.map((bytes): Fault => ({ kind: 'reset', after: bytes })),
);
const size = fc.integer({ min: 1, max: 6_000 });
const chunkBytes = fc.integer({ min: 50, max: 1_500 });

function publish(store: FaultStore, sizes: readonly number[]) {
  const files = Object.fromEntries(sizes.map((bytes, i) => [`f/${i}`, Buffer.alloc(bytes, `file ${i} `)]));
  for (const [path, bytes] of Object.entries(files)) {
    store.put(`models/toy/1.0.0/${path}`, bytes);
  }
  return { files, manifest: manifestOf(files), total: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

describe('a download', () => {
  it('asks for no byte twice, whatever ends its answers, its attempts and its process', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(size, { minLength: 1, maxLength: 3 }),
        chunkBytes,
        fc.array(fc.array(fault, { maxLength: 10 }), { maxLength: 3 }),
        async (sizes, chunk, lives) => {
          const store = new FaultStore(chunk);
          const { files, manifest, total } = publish(store, sizes);
          const folder = await newFolder();

          for (const faults of lives) {
            const stop = new AbortController();
            store.faults = [...faults];
            store.onKill = () => stop.abort(given);
            await startProcess(store, folder, 2)
              .ensureFiles(manifest, manifest.files, { signal: stop.signal })
              .catch((thrown: unknown) => {
                expect(thrown === given || thrown instanceof StoreUnavailableError).toBe(true);
              });
          }
          store.faults = [];
          const paths = await startProcess(store, folder, 1).ensureFiles(manifest, manifest.files);

          for (const [path, bytes] of Object.entries(files)) {
            expect(sha256(await readFile(paths.get(path) ?? ''))).toBe(sha256(bytes));
          }
          expect(store.bytesSent).toBe(total);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('outlives any number of freezes, and of answers that end early, with one attempt', async () => {
    await fc.assert(
      fc.asyncProperty(
        size,
        chunkBytes,
        fc.array(early, { minLength: 1, maxLength: 30 }),
        async (bytes, chunk, ends) => {
          const store = new FaultStore(chunk);
          const { manifest, total } = publish(store, [bytes]);
          store.faults = [...ends];
          let thaws = 0;
          const downloader = startProcess(store, await newFolder(), 1);
          store.onFreeze = () => {
            thaws += 1;
            downloader.thawed();
          };

          await downloader.ensureFiles(manifest, manifest.files);

          expect(store.bytesSent).toBe(total);
          expect(store.renewals).toBe(thaws);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('makes a part whole, in spite of freezes and failures, before it begins the next', async () => {
    const store = new FaultStore(100);
    const { manifest } = publish(store, [2_500]);
    store.faults = [{ kind: 'freeze', after: 400 }, { kind: 'unavailable' }, { kind: 'reset', after: 300 }];

    await startProcess(store, await newFolder(), 2, 1).ensureFiles(manifest, manifest.files);

    expect(store.starts).toEqual([0, 400, 400, 700, 1_000, 2_000]);
  });

  it('tells that it was aborted even when every byte has come, and keeps them', async () => {
    const store = new FaultStore(100);
    const { manifest, total } = publish(store, [2_500]);
    const folder = await newFolder();
    const stop = new AbortController();

    const download = startProcess(store, folder, 1).ensureFiles(manifest, manifest.files, {
      signal: stop.signal,
      onProgress: ({ bytesDone, bytesTotal }) => {
        if (bytesDone === bytesTotal) stop.abort(given);
      },
    });
    await expect(download).rejects.toBe(given);
    await startProcess(store, folder, 1).ensureFiles(manifest, manifest.files);

    expect(store.bytesSent).toBe(total);
  });
});
