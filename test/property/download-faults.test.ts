import { cpSync, existsSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { CasaLinguaError } from '../../shared/errors.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCorruptError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { isFileError } from '../../shared/repository/file-errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { type Fault, FaultStore, manifestOf, sha256 } from './download-fault-store.ts';

const ATTEMPTS = 3;
const PART_BYTES = 1_000;
const killed = new Error('killed');

const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-download-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** One process's life: `owner` is dead to every later one. */
function startProcess(store: FaultStore, folder: string, owner: string): Downloader {
  const clock = { now: () => 1_000_000, sleep: () => Promise.resolve() };
  const identity = { own: owner, isAlive: (other: string) => other === owner };
  const cache = new FileCache({ folder, maxBytes: 200_000, identity, clock });
  const settings = { partBytes: PART_BYTES, concurrency: 3, attempts: ATTEMPTS, stallMs: 20 };
  return new Downloader({ store, cache, settings, clock, random: () => 0.5 });
}

/**
 * What is on disk at this moment. Nothing new begins meanwhile, but the few operations under way on the thread pool may
 * take a file away while it is copied: then all is copied anew.
 */
function copyAtOnce(from: string, to: string): void {
  for (let underWay = 20; ; underWay--) {
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (thrown) {
      if (!isFileError(thrown, 'ENOENT') || underWay === 0) throw thrown;
      rmSync(to, { recursive: true });
    }
  }
}

async function expectOnlyWholeFiles(folder: string, manifest: Manifest): Promise<void> {
  for (const file of manifest.files) {
    const path = join(folder, manifest.id, manifest.version, 'files', file.path);
    if (existsSync(path)) {
      expect(sha256(await readFile(path))).toBe(file.sha256);
    }
  }
}

const KILLED_AFTER_A_RENAME: Fault[] = [{ kind: 'kill', after: 624 }, { kind: 'none' }, { kind: 'cut', after: 27 }];

const offset = fc.nat(2_000);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fault>({ kind: 'none' }) },
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'unavailable' }) },
  { weight: 2, arbitrary: offset.map((after): Fault => ({ kind: 'cut', after })) },
  { weight: 2, arbitrary: offset.map((after): Fault => ({ kind: 'reset', after })) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'too-long' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'replaced' }) },
  { weight: 1, arbitrary: offset.map((after): Fault => ({ kind: 'kill', after })) },
);
const life = fc.record({ faults: fc.array(fault, { maxLength: 12 }), sourceIsBad: fc.boolean() });

describe('a download under faults', () => {
  it('never leaves a wrong file under its name, asks a bounded number of times, and succeeds once the faults end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(6_000), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 50, max: 1_500 }),
        fc.array(life, { maxLength: 4 }),
        async (sizes, chunkBytes, lives) => {
          const good = Object.fromEntries(sizes.map((size, i) => [`f/${i}`, Buffer.alloc(size, `good ${i} `)]));
          const manifest = manifestOf(good);
          const store = new FaultStore(chunkBytes);
          const upload = (spoil: boolean) => {
            for (const [path, bytes] of Object.entries(good)) {
              store.put(`models/toy/1.0.0/${path}`, spoil ? Buffer.alloc(bytes.length, 'bad') : bytes);
            }
          };
          const parts = sizes.reduce((sum, size) => sum + Math.ceil(size / PART_BYTES), 0);
          let folder = await newFolder();

          for (const [index, { faults, sourceIsBad }] of lives.entries()) {
            upload(sourceIsBad);
            const process = startProcess(store, folder, `life${index}`);
            const power = new AbortController();
            let afterKill: string | undefined;
            const next = await newFolder();
            store.faults = [...faults];
            store.requests = 0;
            // What a killed process leaves is what is on disk at that moment; its own cleaning up goes on elsewhere.
            store.onKill = () => {
              if (afterKill === undefined) {
                copyAtOnce(folder, next);
                afterKill = next;
                power.abort(killed);
              }
            };
            await process.ensureFiles(manifest, manifest.files, { signal: power.signal }).catch((error: unknown) => {
              if (error !== killed) {
                expect(error).toBeInstanceOf(CasaLinguaError);
                // Faults on the way are nobody's last word on a version.
                expect(error).toMatchObject({ retryable: !(error instanceof FileCorruptError && sourceIsBad) });
              }
            });
            await expectOnlyWholeFiles(folder, manifest);
            folder = afterKill ?? folder;
            await expectOnlyWholeFiles(folder, manifest);
            expect(store.requests).toBeLessThanOrEqual(parts * ATTEMPTS * 6);
          }

          upload(false);
          store.faults = [];
          const paths = await startProcess(store, folder, 'last').ensureFiles(manifest, manifest.files);
          for (const [path, bytes] of Object.entries(good)) {
            expect(sha256(await readFile(paths.get(path) ?? ''))).toBe(sha256(bytes));
          }
          // A process killed just after a file got its name leaves the empty folder that the file came from, but no bytes.
          const left = await readdir(join(folder, '.partial'), { recursive: true }).catch(() => []);
          expect(left.filter((name) => basename(name) === 'data')).toEqual([]);
        },
      ),
      {
        numRuns: 150,
        // Killed between the rename and the end of its cleaning up.
        examples: [[[748, 0], 50, [{ faults: KILLED_AFTER_A_RENAME, sourceIsBad: false }]]],
      },
    );
  });
});
