import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Downloader } from '../../shared/repository/download.ts';
import { CacheFullError } from '../../shared/repository/errors.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { PartialFile } from '../../shared/repository/partial-file.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import { FaultStore, manifestOf, sha256 } from '../property/download-fault-store.ts';

const MODEL_BYTES = 10_000;
/** Room for two models and some, with their records beside them. */
const CACHE_BYTES = 25_000;

describe('the file cache', () => {
  let folder: string;
  let store: FaultStore;
  let now: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-cache-'));
    store = new FaultStore(4_000);
    now = 1_700_000_000_000;
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A process with the same cache folder; `alive` are the others that it can see. */
  function startProcess(own: string, alive: string[] = [], maxBytes = CACHE_BYTES): Downloader {
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const identity = { own, isAlive: (owner: string) => owner === own || alive.includes(owner) };
    const cache = new FileCache({ folder, maxBytes, identity, clock });
    const settings = { partBytes: 4_000, concurrency: 4, attempts: 2, stallMs: 10 };
    return new Downloader({ store, cache, settings, clock, random: () => 0 });
  }

  function publish(id: string, bytes = MODEL_BYTES): Manifest {
    const content = Buffer.alloc(bytes, id);
    store.put(`models/${id}/1.0.0/model.onnx`, content);
    return manifestOf({ 'model.onnx': content }, '1.0.0', id);
  }

  async function use(process: Downloader, manifest: Manifest): Promise<void> {
    now += 1_000;
    await process.ensureFiles(manifest, manifest.files);
  }

  function isCached(id: string): boolean {
    return existsSync(join(folder, id, '1.0.0/files/model.onnx'));
  }

  it('lets the version go that was used least recently', async () => {
    const process = startProcess('p');
    const [a, b, c] = [publish('a'), publish('b'), publish('c')];
    await use(process, a);
    await use(process, b);
    await use(process, a);

    await use(process, c);

    expect([isCached('a'), isCached('b'), isCached('c')]).toEqual([true, false, true]);
  });

  it('never lets a version go that is in use, by this process or another that lives', async () => {
    const mine = startProcess('mine', ['theirs']);
    const theirs = startProcess('theirs', ['mine']);
    const [a, b, c] = [publish('a'), publish('b'), publish('c')];
    await use(mine, a);
    await use(theirs, b);
    const leases = [await mine.lease(a), await theirs.lease(b)];

    const full = mine.ensureFiles(c, c.files);
    await expect(full).rejects.toThrow(CacheFullError);
    await expect(full).rejects.toMatchObject({ retryable: true });
    expect([isCached('a'), isCached('b')]).toEqual([true, true]);

    await leases[1]?.release();
    await use(mine, c);
    expect([isCached('a'), isCached('b'), isCached('c')]).toEqual([true, false, true]);
  });

  it('does not honour the leases of the dead', async () => {
    const dead = startProcess('dead');
    const [a, b, c] = [publish('a'), publish('b'), publish('c')];
    await use(dead, a);
    await use(dead, b);
    await dead.lease(a);
    await dead.lease(b);

    await use(startProcess('living'), c);

    expect(isCached('c')).toBe(true);
  });

  it('holds a version as long as one of several users does', async () => {
    const process = startProcess('p', [], 12_000);
    const [a, b] = [publish('a'), publish('b')];
    await use(process, a);
    const [first, second] = [await process.lease(a), await process.lease(a)];
    await first.release();
    await first.release();

    await expect(process.ensureFiles(b, b.files)).rejects.toThrow(CacheFullError);
    await second.release();
    await use(process, b);

    expect(isCached('a')).toBe(false);
  });

  it('says for good when a model can never fit, and throws nothing out for it', async () => {
    const process = startProcess('p');
    const [small, huge] = [publish('small'), publish('huge', CACHE_BYTES + 1)];
    await use(process, small);
    const before = store.requests;

    const full = process.ensureFiles(huge, huge.files);

    await expect(full).rejects.toMatchObject({ code: 'CACHE_FULL', retryable: false, model: 'huge@1.0.0' });
    expect(store.requests).toBe(before);
    expect(isCached('small')).toBe(true);
  });

  it('counts what is on its way: two downloads at once stay within the bounds', async () => {
    const process = startProcess('p', [], 15_000);
    const [a, b] = [publish('a'), publish('b')];

    const results = await Promise.allSettled([a, b].map((manifest) => process.ensureFiles(manifest, manifest.files)));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('throws out what an abandoned download left before a model that works', async () => {
    const process = startProcess('p');
    const [a, b, c] = [publish('a'), publish('b'), publish('c')];
    await use(process, a);
    store.faults = [{ kind: 'none' }, { kind: 'unavailable' }, { kind: 'unavailable' }, { kind: 'unavailable' }];
    await expect(process.ensureFiles(b, b.files)).rejects.toThrow('503');
    expect(await readdir(join(folder, '.partial'))).toHaveLength(1);
    store.faults = [];

    await use(process, c);

    expect([isCached('a'), isCached('c')]).toEqual([true, true]);
    expect(await readdir(join(folder, '.partial'))).toEqual([]);
  });

  it('leaves to the next attempt what it had begun when one file cannot be', async () => {
    const identity = { own: 'p', isAlive: () => true };
    const cache = new FileCache({
      folder,
      maxBytes: CACHE_BYTES,
      identity,
      clock: { now: () => now, sleep: async () => {} },
    });
    const file = (name: string) => ({ path: name, size: 10, sha256: name, role: 'config' as const });
    // No file system has such a name.
    const files = ['first', '\0', 'last'].map(file);

    await expect(cache.openPartials(publish('a'), files, 30)).rejects.toThrow('null bytes');

    const owners = (await readdir(join(folder, '.partial'))).map((name) => name.split('~')[1]);
    expect(owners.filter((owner) => owner === 'nobody')).toHaveLength(2);
  });

  it('lets two processes bring the same model at the same time', async () => {
    const a = publish('a');
    const processes = ['x', 'y'].map((own) => startProcess(own, ['x', 'y']));

    const paths = await Promise.all(processes.map((process) => process.ensureFiles(a, a.files)));

    for (const path of paths) {
      expect(sha256(await readFile(path.get('model.onnx') ?? ''))).toBe(a.files[0]?.sha256);
    }
  });

  it('gives up on an answer that stalls', async () => {
    const a = publish('a');
    store.faults = Array.from({ length: 20 }, () => ({ kind: 'stall', after: 0 }) as const);

    await expect(startProcess('p').ensureFiles(a, a.files)).rejects.toThrow('nothing arrived for 10 ms');
  });

  it('begins anew with an object that was replaced meanwhile, and mixes nothing of the old one in', async () => {
    const a = publish('a');
    const key = 'models/a/1.0.0/model.onnx';
    const good = store.objects.get(key)?.bytes ?? Buffer.alloc(0);
    store.put(key, Buffer.alloc(MODEL_BYTES, 'old'));
    store.onAnswer = () => {
      store.onAnswer = () => undefined;
      store.put(key, good);
    };

    const paths = await startProcess('p').ensureFiles(a, a.files);

    expect(sha256(await readFile(paths.get('model.onnx') ?? ''))).toBe(sha256(good));
  });

  it('brings a file that holds nothing', async () => {
    const empty = publish('empty', 0);

    const paths = await startProcess('p').ensureFiles(empty, empty.files);

    expect(await readFile(paths.get('model.onnx') ?? '', 'utf8')).toBe('');
  });
});

describe('a partial file', () => {
  it('that is taken over with a torn line in its journal remembers what is added to it', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'casalingua-partial-'));
    const file = { path: 'x', size: 30, sha256: 'a'.repeat(64), role: 'other' as const };
    const nobody = { own: 'me', isAlive: () => false };
    const takeOver = async () => {
      const [entry] = await PartialFile.list(parent, nobody, 0);
      const partial = entry && (await PartialFile.takeOver(entry, file, 'me'));
      if (partial === undefined) {
        throw new Error('there is nothing to take over');
      }
      return partial;
    };
    const first = await PartialFile.create(parent, file, 'me');
    first.begin('"etag"');
    await first.write(0, [Buffer.alloc(10)]);
    await first.release();
    const [name] = await readdir(parent);
    await appendFile(join(parent, name ?? '', 'journal'), '[10,2');

    const second = await takeOver();
    await second.write(20, [Buffer.alloc(10)]);
    await second.release();
    const third = await takeOver();

    expect(third.etag).toBe('"etag"');
    expect(third.finished).toEqual([
      { start: 0, end: 10 },
      { start: 20, end: 30 },
    ]);
    await third.discard();
    expect(await readdir(parent)).toEqual([]);
    await rm(parent, { recursive: true });
  });

  it('keeps its journal small, however many writes there are', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'casalingua-partial-'));
    const file = { path: 'x', size: 2_500, sha256: 'a'.repeat(64), role: 'other' as const };
    const partial = await PartialFile.create(parent, file, 'me');
    partial.begin('"etag"');
    for (let at = 0; at < file.size; at++) {
      await partial.write(at, [Buffer.alloc(1)]);
    }
    await partial.release();
    const [entry] = await PartialFile.list(parent, { own: 'me', isAlive: () => false }, 0);
    const lines = (await readFile(join(entry?.folder ?? '', 'journal'), 'utf8')).split('\n').length;

    const taken = entry && (await PartialFile.takeOver(entry, file, 'me'));

    expect(lines).toBeLessThan(1_100);
    expect(taken?.finished).toEqual([{ start: 0, end: file.size }]);
    await taken?.discard();
    await rm(parent, { recursive: true });
  });

  it('is not taken over when its bytes are not those that its journal tells of', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'casalingua-partial-'));
    const file = { path: 'x', size: 30, sha256: 'a'.repeat(64), role: 'other' as const };
    const left = await PartialFile.create(parent, file, 'me');
    left.begin('"etag"');
    await left.write(0, [Buffer.alloc(30)]);
    await left.release();
    const [entry] = await PartialFile.list(parent, { own: 'me', isAlive: () => false }, 0);
    await truncate(join(entry?.folder ?? '', 'data'), 10);

    const taken = entry && (await PartialFile.takeOver(entry, file, 'me'));

    expect(taken).toBeUndefined();
    expect(await readdir(parent)).toEqual([]);
    await rm(parent, { recursive: true });
  });

  it('goes to one of many who want it', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'casalingua-partial-'));
    const file = { path: 'x', size: 3, sha256: 'a'.repeat(64), role: 'other' as const };
    const left = await PartialFile.create(parent, file, 'me');
    left.begin('"etag"');
    await left.release();
    const [entry] = await PartialFile.list(parent, { own: 'me', isAlive: () => false }, 0);
    if (entry === undefined) {
      throw new Error('there is nothing to take over');
    }

    const taken = await Promise.all(['a', 'b', 'c'].map((own) => PartialFile.takeOver(entry, file, own)));

    expect(taken.filter((partial) => partial !== undefined)).toHaveLength(1);
    await Promise.all(taken.map((partial) => partial?.discard()));
    await rm(parent, { recursive: true });
  });
});

describe('thisProcess', () => {
  const me = thisProcess();
  const [host, pid] = me.own.split('.');

  it('knows itself, and an earlier process with the same pid as dead', () => {
    expect(me.isAlive(me.own, 0)).toBe(true);
    expect(me.isAlive(`${host}.${pid}.000000000000`, 0)).toBe(false);
  });

  it('sees whether another process of this machine runs', () => {
    expect(me.isAlive(`${host}.${process.ppid}.000000000000`, 0)).toBe(true);
    expect(me.isAlive(`${host}.99999999.000000000000`, 0)).toBe(false);
    expect(me.isAlive(`${host}.nonsense`, 0)).toBe(false);
  });

  it('believes the mark of another machine for a day', () => {
    expect(me.isAlive('elsewhere.1.000000000000', 3_600_000)).toBe(true);
    expect(me.isAlive('elsewhere.1.000000000000', 48 * 3_600_000)).toBe(false);
  });
});
