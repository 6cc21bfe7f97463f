import { join } from 'node:path';
import type { DownloadSettings } from '../config/settings.ts';
import type { Arrival } from './arrival.ts';
import type { Clock } from './clock.ts';
import { FileCorruptError } from './errors.ts';
import type { CacheLease, FileCache } from './file-cache.ts';
import { FileDownload } from './file-download.ts';
import { type Manifest, type ManifestFile, modelKey } from './manifest.ts';
import { objectKey } from './manifest-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { PartialFile } from './partial-file.ts';
import { RankedLimit } from './ranked-limit.ts';
import type { RetryBudget } from './retry-budget.ts';
import { TaskGroup } from './task-group.ts';
import { Thaws } from './thaws.ts';
import { VerifiedFiles } from './verified-files.ts';

export interface DownloadProgress {
  readonly bytesDone: number;
  /** Of these, what was on disk before. */
  readonly bytesResumed: number;
  readonly bytesTotal: number;
}

export interface EnsureOptions {
  readonly signal?: AbortSignal;
  /** The caller's own hold on the version, for longer than this takes. @default - one for as long as this takes */
  readonly lease?: CacheLease;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /**
   * Called at most once, when all files are there but the weights, which are on their way and may be read as they come.
   * They are verified when the promise is fulfilled, and not before. Whoever is called closes them, however it ends.
   * @param paths as the promise gives them
   */
  readonly onWeightsOnly?: (paths: ReadonlyMap<string, string>, weights: Arrival) => void;
}

export interface DownloaderOptions {
  readonly store: ObjectStore;
  readonly cache: FileCache;
  readonly settings: DownloadSettings;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Of the store. @default - none */
  readonly retries?: RetryBudget;
}

/** Brings a version's files onto this machine, every byte verified. */
export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #limit: RankedLimit;
  readonly #thaws = new Thaws();

  constructor(options: DownloaderOptions) {
    this.#options = options;
    this.#limit = new RankedLimit(options.settings.concurrency);
  }

  /** Keeps the version's files from eviction while a model that reads them is loaded. */
  lease(manifest: Manifest): Promise<CacheLease> {
    return this.#options.cache.lease(manifest);
  }

  /**
   * The absolute path of each file by its path in the manifest; what is not there yet is downloaded, all files at the
   * same time. An attempt that fails or is aborted leaves the bytes that it got for the next.
   * @throws FileCorruptError, CacheFullError, StoreRefusedError (final); StoreUnavailableError, ObjectChangedError
   *   (retryable); or the signal's reason
   */
  async ensureFiles(
    manifest: Manifest,
    files: readonly ManifestFile[],
    options: EnsureOptions = {},
  ): Promise<Map<string, string>> {
    options.signal?.throwIfAborted();
    const lease = options.lease ?? (await this.lease(manifest));
    try {
      const paths = new Map(files.map((file) => [file.path, join(lease.filesFolder, file.path)]));
      const verified = await VerifiedFiles.read(this.#options.cache.versionFolder(manifest));
      const progress = new Progress(files, options.onProgress);
      const whole = await Promise.all(files.map((file) => verified.isWhole(file, pathOf(paths, file))));
      for (const file of files.filter((_, index) => whole[index])) progress.set(file, file.size);
      const missing = files.filter((_, index) => !whole[index]);
      try {
        if (missing.length > 0) {
          await this.#download(manifest, missing, paths, verified, progress, options);
        }
      } finally {
        await verified.save();
      }
      return paths;
    } finally {
      if (options.lease === undefined) await lease.release();
    }
  }

  /**
   * The instance has been frozen: every GET under way ends, keeps what it brought, and goes on from there over a fresh
   * connection. It costs no attempt.
   */
  thawed(): void {
    this.#thaws.happened();
    // After the GETs have let go of theirs, and before they ask again.
    this.#options.store.renewConnections();
  }

  async #download(
    manifest: Manifest,
    files: readonly ManifestFile[],
    paths: ReadonlyMap<string, string>,
    verified: VerifiedFiles,
    progress: Progress,
    { signal, onWeightsOnly }: EnsureOptions,
  ): Promise<void> {
    const { store, cache, settings, clock, random, retries } = this.#options;
    const group = new TaskGroup(signal);
    const partials = await cache.openPartials(manifest, files, progress.bytesTotal);
    const awaited = new Set(partials);
    const arrived = (partial?: PartialFile) => {
      if (partial !== undefined) awaited.delete(partial);
      const [last, ...others] = awaited;
      if (onWeightsOnly === undefined || last?.file.role !== 'weights' || others.length > 0) return;
      const weights = last.readAlong();
      if (weights !== undefined) onWeightsOnly(paths, weights);
    };
    for (const partial of partials) {
      const { file } = partial;
      group.start(async (groupSignal) => {
        const onProgress = (bytes: number) => progress.set(file, bytes);
        // What a load can begin with is there first.
        const limit = file.role === 'weights' ? this.#limit.second : this.#limit.first;
        const shared = { store, settings, limit, thaws: this.#thaws, clock, random, retries };
        const context = { ...shared, signal: groupSignal, onProgress };
        const path = pathOf(paths, file);
        try {
          await new FileDownload(modelKey(manifest), objectKey(manifest, file.path), partial, context).run();
          await partial.promote(path);
        } catch (thrown) {
          // Bytes of a bad source are of no use to anybody; everything else is left for the next attempt.
          const isBad = thrown instanceof FileCorruptError && !groupSignal.aborted;
          await (isBad ? partial.discard() : partial.release());
          throw thrown;
        }
        await verified.add(file, path);
        arrived(partial);
      });
    }
    arrived();
    await group.done();
  }
}

function pathOf(paths: ReadonlyMap<string, string>, file: ManifestFile): string {
  const path = paths.get(file.path);
  if (path === undefined) {
    throw new RangeError(`${file.path} is not one of the files that were asked for`);
  }
  return path;
}

class Progress {
  readonly #bytes = new Map<string, number>();
  #bytesResumed = 0;
  /** Of all files that were asked for. */
  readonly bytesTotal: number;
  readonly #report: ((progress: DownloadProgress) => void) | undefined;

  constructor(files: readonly ManifestFile[], report: ((progress: DownloadProgress) => void) | undefined) {
    this.bytesTotal = files.reduce((sum, file) => sum + file.size, 0);
    this.#report = report;
  }

  /** The first word of each file is what is left of earlier attempts. */
  set(file: ManifestFile, bytes: number): void {
    if (!this.#bytes.has(file.path)) this.#bytesResumed += bytes;
    this.#bytes.set(file.path, bytes);
    const bytesDone = [...this.#bytes.values()].reduce((sum, each) => sum + each, 0);
    this.#report?.({ bytesDone, bytesResumed: this.#bytesResumed, bytesTotal: this.bytesTotal });
  }
}
