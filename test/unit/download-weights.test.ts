import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Arrival } from '../../shared/repository/arrival.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { PartialFile } from '../../shared/repository/partial-file.ts';
import { FaultStore, manifestOf } from '../property/download-fault-store.ts';

let folder: string;
let store: FaultStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casalingua-weights-'));
  store = new FaultStore(100);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A version of these files; those named `weights…` are its weights. */
function publish(sizes: Readonly<Record<string, number>>): Manifest {
  const files = Object.fromEntries(Object.entries(sizes).map(([path, size]) => [path, Buffer.alloc(size, path)]));
  for (const [path, bytes] of Object.entries(files)) store.put(`models/toy/1.0.0/${path}`, bytes);
  const manifest = manifestOf(files);
  const roleOf = (path: string) => (path.startsWith('weights') ? ('weights' as const) : ('config' as const));
  return { ...manifest, files: manifest.files.map((file) => ({ ...file, role: roleOf(file.path) })) };
}

async function ensure(
  manifest: Manifest,
  onWeightsOnly: (paths: ReadonlyMap<string, string>, weights: Arrival) => void,
) {
  const clock = { now: () => 1_000_000, sleep: () => Promise.resolve() };
  const cache = new FileCache({ folder, maxBytes: 1e6, identity: { own: 'me', isAlive: () => true }, clock });
  const settings = { partBytes: 1_000, concurrency: 2, attempts: 1, stallMs: 1_000 };
  const downloader = new Downloader({ store, cache, settings, clock, random: () => 0 });
  await downloader.ensureFiles(manifest, manifest.files, {
    onWeightsOnly(paths, weights) {
      onWeightsOnly(paths, weights);
      weights.close();
    },
  });
}

describe('weights can be read as they arrive', () => {
  test('from when every other file is whole, whose parts go first', async () => {
    const manifest = publish({ 'weights.bin': 9_000, 'a.json': 2_500, 'b.json': 300 });
    const seen: unknown[] = [];
    let tell: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const getRange = store.getRange.bind(store);
    store.getRange = async (key, request) => {
      // Two at a time: with two of them in front, the other files would never come.
      if (key.endsWith('weights.bin') && request.start > 0) await told;
      return getRange(key, request);
    };

    await ensure(manifest, (paths) => {
      seen.push([...paths].map(([path, onDisk]) => [path, existsSync(onDisk)]));
      tell();
    });

    expect(seen).toEqual([
      [
        ['weights.bin', false],
        ['a.json', true],
        ['b.json', true],
      ],
    ]);
  });

  test('as far as they say; the last byte is there when they are verified', async () => {
    const manifest = publish({ 'weights.bin': 9_000 });
    let arrived: BigInt64Array | undefined;
    const seen: bigint[] = [];

    await ensure(manifest, (_, weights) => {
      arrived = new BigInt64Array(weights.file.arrived);
      seen.push(arrived[0] ?? -1n);
    });

    expect(seen).toEqual([0n]);
    expect(arrived?.[0]).toBe(9_000n);
  });

  test.each([
    ['is nothing but other files', { 'a.json': 2_500 }],
    ['came before another file did', { 'a.json': 30_000, 'weights.bin': 100 }],
  ])('but are not, where there %s', async (_, sizes) => {
    let calls = 0;

    await ensure(publish(sizes), () => {
      calls++;
    });

    expect(calls).toBe(0);
  });
});

test('a file that has, or is about to have, its final name is not on its way any more', async () => {
  const file = { path: 'x', size: 3, sha256: 'a'.repeat(64), role: 'weights' as const };
  const partial = await PartialFile.create(folder, file, 'me');

  const promoted = partial.promote(join(folder, 'whole'));
  expect(partial.readAlong()).toBeUndefined();
  await promoted;

  expect(partial.readAlong()).toBeUndefined();
});
