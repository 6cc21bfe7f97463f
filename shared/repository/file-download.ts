import type { LimitFunction } from 'p-limit';
import type { DownloadSettings } from '../config/settings.ts';
import type { Clock } from './clock.ts';
import { FileCorruptError, ObjectChangedError, ObjectNotFoundError, StoreUnavailableError } from './errors.ts';
import type { ObjectStore } from './object-store.ts';
import type { PartialFile } from './partial-file.ts';
import { type ByteRange, missingRanges } from './ranges.ts';
import { retry } from './retry.ts';
import { guardStall } from './stall-guard.ts';
import { TaskGroup } from './task-group.ts';

export interface FileDownloadContext {
  readonly store: ObjectStore;
  readonly settings: DownloadSettings;
  /** Shared by all files: the ranged GETs at once. */
  readonly limit: LimitFunction;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Of this file, in bytes; falls back when a file begins anew. */
  readonly onProgress: (bytes: number) => void;
}

/** How often a file begins anew because its object was replaced meanwhile. */
const RESTARTS = 3;
/** Bytes gathered for one write: a write per chunk of the socket costs more than it copies. */
const WRITE_BYTES = 512 * 1024;

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
    const [first, ...rest] = missingRanges(file.size, finished, settings.partBytes);
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
  }

  async #fetchPart(range: ByteRange, signal: AbortSignal, onEtag?: () => void): Promise<void> {
    const { settings, limit, clock, random } = this.#context;
    let at = range.start;
    const attempt = () =>
      limit(() =>
        guardStall(settings.stallMs, signal, async (guard) => {
          const known = this.#partial.etag;
          const answer = await this.#context.store.getRange(this.#key, {
            start: at,
            end: range.end,
            signal: guard.signal,
            ...(known === undefined ? {} : { ifMatch: known }),
          });
          guard.tick();
          this.#checkSize(answer.totalSize);
          if (known === undefined) {
            this.#partial.begin(answer.etag);
            onEtag?.();
          }
          const writer = new GatheredWrites(this.#partial, at, range.end, (end) => {
            this.#bytes += end - at;
            at = end;
            this.#context.onProgress(this.#bytes);
          });
          for await (const chunk of answer.chunks) {
            guard.tick();
            await writer.add(chunk);
          }
          await writer.flush();
          if (at < range.end) {
            throw new StoreUnavailableError(`the answer for ${this.#key} ended ${range.end - at} bytes early`);
          }
        }),
      );
    await retry(attempt, { attempts: settings.attempts, clock, random, signal });
    this.#partial.finish(range);
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

/** Turns a stream of chunks into few positioned writes that stay inside their range. */
class GatheredWrites {
  readonly #partial: PartialFile;
  readonly #end: number;
  readonly #onWritten: (end: number) => void;
  #position: number;
  #buffers: Uint8Array[] = [];
  #gathered = 0;

  constructor(partial: PartialFile, start: number, end: number, onWritten: (end: number) => void) {
    this.#partial = partial;
    this.#position = start;
    this.#end = end;
    this.#onWritten = onWritten;
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.#position + this.#gathered + chunk.length > this.#end) {
      throw new StoreUnavailableError('the answer is longer than the range that was asked for');
    }
    this.#buffers.push(chunk);
    this.#gathered += chunk.length;
    if (this.#gathered >= WRITE_BYTES) {
      await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#gathered === 0) {
      return;
    }
    const buffers = this.#buffers;
    const end = this.#position + this.#gathered;
    this.#buffers = [];
    this.#gathered = 0;
    await this.#partial.write(this.#position, buffers);
    this.#position = end;
    this.#onWritten(end);
  }
}
