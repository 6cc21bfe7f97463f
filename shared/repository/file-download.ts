import type { DownloadSettings } from '../config/settings.ts';
import type { Clock } from './clock.ts';
import { FileCorruptError, ObjectChangedError, ObjectNotFoundError, StoreUnavailableError } from './errors.ts';
import { GatheredWrites } from './gathered-writes.ts';
import type { ObjectStore } from './object-store.ts';
import type { PartialFile } from './partial-file.ts';
import { type ByteRange, missingRanges, partBytesOf } from './ranges.ts';
import type { Limit } from './ranked-limit.ts';
import { retry } from './retry.ts';
import type { RetryBudget } from './retry-budget.ts';
import { guardStall, type StallGuard } from './stall-guard.ts';
import { TaskGroup } from './task-group.ts';
import { type Thaws, throughThaws } from './thaws.ts';

export interface FileDownloadContext {
  readonly store: ObjectStore;
  readonly settings: DownloadSettings;
  /** Shared by all files: the ranged GETs at once. */
  readonly limit: Limit;
  readonly thaws: Thaws;
  readonly clock: Clock;
  readonly random: () => number;
  readonly retries: RetryBudget | undefined;
  readonly signal: AbortSignal;
  /** Of this file, in bytes; falls back when a file begins anew. */
  readonly onProgress: (bytes: number) => void;
}

/** How often a file begins anew because its object was replaced meanwhile. */
const RESTARTS = 3;

/** One file of a version into its partial file, verified; the caller promotes or discards it. */
export class FileDownload {
  readonly #key: string;
  readonly #model: string;
  readonly #partial: PartialFile;
  readonly #context: FileDownloadContext;
  #bytes = 0;

  constructor(model: string, key: string, partial: PartialFile, context: FileDownloadContext) {
    this.#model = model;
    this.#key = key;
    this.#partial = partial;
    this.#context = context;
  }

  /** @throws FileCorruptError, StoreUnavailableError, StoreRefusedError, ObjectChangedError, or the signal's reason */
  async run(): Promise<void> {
    const { file } = this.#partial;
    for (let restarts = 0; ; restarts++) {
      try {
        await this.#fetchMissing();
      } catch (thrown) {
        if (!(thrown instanceof ObjectChangedError) || restarts === RESTARTS) {
          throw this.#missingIsCorrupt(thrown);
        }
        await this.#beginAnew();
        continue;
      }
      const sha256 = await this.#partial.digest();
      if (sha256 === file.sha256) {
        return;
      }
      // What an earlier process left may never have reached the disk; what came just now is what the source holds.
      if (!this.#partial.isResumed) {
        throw this.#corrupt(`has sha256 ${sha256}, the manifest says ${file.sha256}`);
      }
      await this.#beginAnew();
    }
  }

  async #fetchMissing(): Promise<void> {
    const { settings, signal } = this.#context;
    const { file, finished, etag } = this.#partial;
    this.#bytes = finished.reduce((sum, range) => sum + range.end - range.start, 0);
    this.#context.onProgress(this.#bytes);
    const [first, ...rest] = missingRanges(file.size, finished, partBytesOf(file.size, settings.partBytes));
    if (first === undefined) {
      return;
    }
    const group = new TaskGroup(signal);
    const startRest = () => {
      for (const range of rest) {
        group.start((groupSignal) => this.#fetchPart(range, groupSignal));
      }
    };
    // The first answer tells which object it is; the other parts ask for that one.
    group.start((groupSignal) => this.#fetchPart(first, groupSignal, etag === undefined ? startRest : undefined));
    if (etag !== undefined) {
      startRest();
    }
    await group.done();
    signal.throwIfAborted();
  }

  /** A part keeps its place until it is whole: the bytes that come first in the file are there first. */
  async #fetchPart(range: ByteRange, signal: AbortSignal, onEtag?: () => void): Promise<void> {
    const { settings, limit, thaws, clock, random, retries } = this.#context;
    let at = range.start;
    const onWritten = (end: number) => {
      this.#bytes += end - at;
      at = end;
      this.#context.onProgress(this.#bytes);
    };
    await limit(() =>
      throughThaws(thaws, signal, (awake) =>
        retry(() => this.#receive({ start: at, end: range.end }, awake, onWritten, onEtag), {
          attempts: settings.attempts,
          clock,
          random,
          signal: awake,
          budget: retries,
          progress: () => at,
        }),
      ),
    );
  }

  /** One GET. Whatever ends it, what it brought is in the file. */
  async #receive(
    range: ByteRange,
    signal: AbortSignal,
    onWritten: (end: number) => void,
    onEtag: (() => void) | undefined,
  ): Promise<void> {
    const { store, settings, clock } = this.#context;
    const partial = this.#partial;
    let end = range.start;
    const receive = async (guard: StallGuard) => {
      const known = partial.etag;
      const ifMatch = known === undefined ? {} : { ifMatch: known };
      const asking = store.getRange(this.#key, { ...range, ...ifMatch, signal: guard.signal });
      const answer = await asking.catch((thrown: unknown) => {
        // No particular object was asked for: the one that is there ends before the range begins.
        const isShort = known === undefined && thrown instanceof ObjectChangedError;
        throw isShort ? this.#corrupt('is shorter than the manifest says', thrown) : thrown;
      });
      guard.tick();
      this.#checkSize(answer.totalSize);
      if (known === undefined) {
        partial.begin(answer.etag);
        onEtag?.();
      }
      const writes = new GatheredWrites({
        partial,
        range,
        clock,
        onWritten: (written) => {
          end = written;
          onWritten(written);
        },
      });
      try {
        for await (const chunk of answer.chunks) {
          guard.tick();
          await writes.add(chunk);
        }
      } finally {
        await writes.flush();
      }
    };
    try {
      await guardStall(settings.stallMs, signal, receive);
    } catch (thrown) {
      // With its last byte a part is whole, however its answer ended.
      if (end < range.end) {
        throw thrown;
      }
    }
    if (end < range.end) {
      throw new StoreUnavailableError(`the answer for ${this.#key} ended ${range.end - end} bytes early`);
    }
  }

  #checkSize(totalSize: number): void {
    const { size } = this.#partial.file;
    if (totalSize !== size) {
      throw this.#corrupt(`has ${totalSize} bytes, the manifest says ${size}`);
    }
  }

  async #beginAnew(): Promise<void> {
    await this.#partial.reset();
  }

  #missingIsCorrupt(thrown: unknown): unknown {
    return thrown instanceof ObjectNotFoundError ? this.#corrupt('is missing in the repository', thrown) : thrown;
  }

  #corrupt(what: string, cause?: unknown): FileCorruptError {
    const details = { model: this.#model, ...(cause === undefined ? {} : { cause }) };
    return new FileCorruptError(`${this.#model}: ${this.#partial.file.path} ${what}`, details);
  }
}
