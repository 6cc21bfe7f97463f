import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { bytesIn, type CacheEntry, cachedVersions, LEASES } from './cache-contents.ts';
import type { Clock } from './clock.ts';
import { CacheFullError } from './errors.ts';
import { isFileError } from './file-errors.ts';
import { type ManifestFile, modelKey } from './manifest.ts';
import { type PartialEntry, PartialFile } from './partial-file.ts';
import type { ProcessIdentity } from './process-identity.ts';

type Version = { readonly id: string; readonly version: string };

/** One user's hold on a version's folder: it is not evicted meanwhile. */
export interface CacheLease {
  /** The version's files lie under it by their manifest path. */
  readonly filesFolder: string;
  /** Gives the hold back; calling it again does nothing. */
  release(): Promise<void>;
}

export interface FileCacheOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly identity: ProcessIdentity;
  readonly clock: Clock;
}

/**
 * The bounded folder of model files: `<id>/<version>/{files/…, verified.json, leases/, used}`, with `.partial/` for files on
 * their way. Processes may share it. Between an eviction's look at the leases and its rename another process can take a
 * lease: that load then misses its files and is tried again; nobody ever reads wrong bytes.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  /** Counting and making room is one step. */
  readonly #oneAtATime = pLimit(1);

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  versionFolder(version: Version): string {
    return join(this.#options.folder, version.id, version.version);
  }

  async lease(version: Version): Promise<CacheLease> {
    const folder = this.versionFolder(version);
    const mark = join(folder, LEASES, `${this.#options.identity.own}~${randomBytes(6).toString('hex')}`);
    await this.#mark(folder, mark);
    await this.#touch(folder);
    let released = false;
    return {
      filesFolder: join(folder, 'files'),
      release: async () => {
        if (!released) {
          released = true;
          await this.#touch(folder);
          await rm(mark, { force: true });
        }
      },
    };
  }

  /**
   * Partial files for these, with room on disk for all of them: what an earlier attempt left is taken over, and the
   * versions that were used least recently go first to make room.
   * @param totalBytes of the version as a whole, what is there already included
   * @throws CacheFullError
   */
  openPartials(version: Version, files: readonly ManifestFile[], totalBytes: number): Promise<PartialFile[]> {
    return this.#oneAtATime(() => this.#openPartials(version, files, totalBytes));
  }

  async #openPartials(version: Version, files: readonly ManifestFile[], totalBytes: number): Promise<PartialFile[]> {
    const { maxBytes, identity } = this.#options;
    if (totalBytes > maxBytes) {
      const told = `${modelKey(version)} needs ${totalBytes} bytes on disk, the cache holds ${maxBytes}`;
      throw new CacheFullError(told, { model: modelKey(version), retryable: false });
    }
    const opened: PartialFile[] = [];
    try {
      const missing: ManifestFile[] = [];
      const left = await this.#partials();
      for (const file of files) {
        const partial = await takeOverAny(left, file, identity.own);
        if (partial === undefined) {
          missing.push(file);
        } else {
          opened.push(partial);
        }
      }
      await this.#makeRoom(
        version,
        missing.reduce((sum, file) => sum + file.size, 0),
      );
      const created = await Promise.allSettled(
        missing.map((file) => PartialFile.create(this.#partialFolder, file, identity.own)),
      );
      opened.push(...created.filter((each) => each.status === 'fulfilled').map(({ value }) => value));
      const failed = created.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return opened;
    } catch (thrown) {
      await Promise.allSettled(opened.map((partial) => partial.release()));
      throw thrown;
    }
  }

  async #makeRoom(version: Version, needed: number): Promise<void> {
    const { folder, maxBytes, identity, clock } = this.#options;
    const trash = join(folder, '.trash');
    const [partials, versions] = await Promise.all([
      this.#partialsWithBytes(),
      cachedVersions(folder, identity, clock.now()),
      empty(trash),
    ]);
    const entries = [...partials, ...versions];
    let free = maxBytes - entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const candidates = entries.filter((entry) => !entry.inUse).sort((a, b) => a.usedAt - b.usedAt);
    for (const entry of candidates) {
      if (free >= needed) {
        break;
      }
      await evict(entry.folder, trash);
      free += entry.bytes;
    }
    if (free < needed) {
      const told = `${modelKey(version)} needs ${needed} more bytes on disk, ${Math.max(0, free)} are left beside models in use`;
      throw new CacheFullError(told, { model: modelKey(version), retryable: true });
    }
  }

  async #partialsWithBytes(): Promise<CacheEntry[]> {
    const entries = await this.#partials();
    return Promise.all(
      entries.map(async ({ folder, isFree }) => ({ folder, bytes: await bytesIn(folder), usedAt: 0, inUse: !isFree })),
    );
  }

  #partials(): Promise<PartialEntry[]> {
    return PartialFile.list(this.#partialFolder, this.#options.identity, this.#options.clock.now());
  }

  get #partialFolder(): string {
    return join(this.#options.folder, '.partial');
  }

  /** The folder can be evicted between its making and the mark. */
  async #mark(folder: string, mark: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await mkdir(join(folder, LEASES), { recursive: true });
        await writeFile(mark, '', { flag: 'wx' });
        return;
      } catch (thrown) {
        if (!isFileError(thrown, 'ENOENT') || attempt === 3) {
          throw thrown;
        }
      }
    }
  }

  async #touch(folder: string): Promise<void> {
    const seconds = this.#options.clock.now() / 1000;
    const used = join(folder, 'used');
    await writeFile(used, '')
      .then(() => utimes(used, seconds, seconds))
      .catch(() => undefined);
  }
}

async function takeOverAny(
  left: readonly PartialEntry[],
  file: ManifestFile,
  own: string,
): Promise<PartialFile | undefined> {
  for (const entry of left) {
    if (entry.isFree && entry.sha256 === file.sha256) {
      const partial = await PartialFile.takeOver(entry, file, own);
      if (partial !== undefined) {
        return partial;
      }
    }
  }
  return undefined;
}

/** One rename takes the whole folder away, so that nobody meets half of it. */
async function evict(folder: string, trash: string): Promise<void> {
  await mkdir(trash, { recursive: true });
  const target = join(trash, randomBytes(6).toString('hex'));
  try {
    await rename(folder, target);
  } catch (thrown) {
    if (isFileError(thrown, 'ENOENT')) {
      return;
    }
    throw thrown;
  }
  await rm(target, { recursive: true, force: true });
}

/** What a process that was killed had already taken away. The folder stays: another process may be using it. */
async function empty(trash: string): Promise<void> {
  const names = await readdir(trash).catch(() => []);
  await Promise.all(names.map((name) => rm(join(trash, name), { recursive: true, force: true })));
}
