import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Arrival } from './arrival.ts';
import { CacheFullError } from './errors.ts';
import { isFileError } from './file-errors.ts';
import { headerLine, parseJournal, rangeLine } from './journal.ts';
import { JournalFile } from './journal-file.ts';
import type { ManifestFile } from './manifest.ts';
import { PrefixHash } from './prefix-hash.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { type ByteRange, contiguousEnd, mergeRanges } from './ranges.ts';

/** The owner of a partial file that nobody works on. */
const NOBODY = 'nobody';
/** Lines added to a journal after which it is written anew with the ranges that they come to: a few. */
const COMPACT_LINES = 1_000;

export interface PartialEntry {
  readonly folder: string;
  readonly sha256: string;
  /** Nobody works on it: it can be taken over or thrown away. */
  readonly isFree: boolean;
}

/**
 * A file on its way: a folder `<sha256>~<owner>~<token>` with `data` and `journal`. A range's bytes are in `data` before
 * `journal` says so. Taking over what another process left is one rename of a name that never comes twice, so two
 * processes can't both have it.
 */
export class PartialFile {
  readonly file: ManifestFile;
  #folder: string;
  readonly #data: FileHandle;
  readonly #journal: JournalFile;
  #linesAdded = 0;
  #etag: string | undefined;
  #finished: ByteRange[] = [];
  #hash: PrefixHash;
  #arrival: Arrival | undefined;
  #resumed: boolean;
  #closed = false;

  private constructor(file: ManifestFile, folder: string, data: FileHandle, etag?: string) {
    this.file = file;
    this.#folder = folder;
    this.#data = data;
    this.#journal = new JournalFile(join(folder, 'journal'));
    this.#hash = new PrefixHash(data);
    this.#etag = etag;
    this.#resumed = etag !== undefined;
  }

  /** Of the object that the bytes so far come from. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** What is written, in order, with a gap between any two. */
  get finished(): readonly ByteRange[] {
    return this.#finished;
  }

  /** Whether some bytes were written by an earlier attempt whose end nobody saw. */
  get isResumed(): boolean {
    return this.#resumed;
  }

  static async list(parent: string, identity: ProcessIdentity, now: number): Promise<PartialEntry[]> {
    const entries: PartialEntry[] = [];
    for (const name of await readdirIfThere(parent)) {
      const [sha256, owner] = name.split('~');
      const folder = join(parent, name);
      const info = await stat(folder).catch(() => undefined);
      if (sha256 !== undefined && owner !== undefined && info !== undefined) {
        const isFree = owner === NOBODY || !identity.isAlive(owner, now - info.mtimeMs);
        entries.push({ folder, sha256, isFree });
      }
    }
    return entries;
  }

  /** Takes over what an earlier attempt left; undefined when another process was faster. */
  static async takeOver(entry: PartialEntry, file: ManifestFile, own: string): Promise<PartialFile | undefined> {
    const folder = join(dirname(entry.folder), nameOf(file, own));
    try {
      await rename(entry.folder, folder);
    } catch (thrown) {
      if (isFileError(thrown, 'ENOENT')) {
        return undefined;
      }
      throw thrown;
    }
    const journal = parseJournal(await readFile(join(folder, 'journal'), 'utf8').catch(() => ''));
    const usable = journal?.header.sha256 === file.sha256 && journal.header.size === file.size;
    const info = await stat(join(folder, 'data')).catch(() => undefined);
    if (!usable || info?.size !== file.size) {
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    const partial = new PartialFile(file, folder, await open(join(folder, 'data'), 'r+'), journal.header.etag);
    partial.#finished = mergeRanges(journal.finished);
    // A torn last line would spoil the next one.
    await partial.#rewriteJournal();
    return partial;
  }

  /** Takes the file's whole size on disk at once, so that whoever counts the folder counts it. */
  static async create(parent: string, file: ManifestFile, own: string): Promise<PartialFile> {
    const folder = join(parent, nameOf(file, own));
    await mkdir(folder, { recursive: true });
    const partial = new PartialFile(file, folder, await open(join(folder, 'data'), 'w+'));
    await partial.#data.truncate(file.size);
    return partial;
  }

  /**
   * For other threads to read along; whoever asks for it, once, closes it. It is void when the file begins anew. Undefined
   * when the file is on its way to its final name already.
   */
  readAlong(): Arrival | undefined {
    if (this.#closed) return undefined;
    this.#arrival = new Arrival(join(this.#folder, 'data'));
    this.#arrival.reached(contiguousEnd(this.#finished));
    return this.#arrival;
  }

  /** The bytes that follow come from the object with this ETag. */
  begin(etag: string): void {
    this.#etag = etag;
    this.#journal.append(this.#header());
  }

  /** Writes these bytes, and remembers them for whoever goes on. @throws CacheFullError when the disk is full */
  async write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const length = buffers.reduce((sum, bytes) => sum + bytes.length, 0);
    try {
      const { bytesWritten } = await this.#data.writev([...buffers], position);
      if (bytesWritten !== length) {
        throw new CacheFullError('the disk took only a part of a write', { retryable: true });
      }
    } catch (thrown) {
      if (isFileError(thrown, 'ENOSPC')) {
        throw new CacheFullError('the disk is full', { retryable: true, cause: thrown });
      }
      throw thrown;
    }
    this.#hash.offer(position, buffers);
    this.#remember({ start: position, end: position + length });
    const end = contiguousEnd(this.#finished);
    this.#arrival?.reached(end);
    this.#hash.reached(end);
  }

  /** sha256 of the whole file, lower case hex. */
  digest(): Promise<string> {
    return this.#hash.digest(this.file.size);
  }

  /** Forgets every byte: the next attempt begins anew. */
  async reset(): Promise<void> {
    await this.#hash.settled();
    this.#hash = new PrefixHash(this.#data);
    this.#arrival?.void();
    this.#arrival = undefined;
    this.#finished = [];
    this.#etag = undefined;
    this.#resumed = false;
    await this.#rewriteJournal();
  }

  /** Gives the verified file its final name. */
  async promote(path: string): Promise<void> {
    await this.#close();
    await mkdir(dirname(path), { recursive: true });
    await rename(join(this.#folder, 'data'), path);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Leaves it to whoever comes next. */
  async release(): Promise<void> {
    await this.#close();
    await rename(this.#folder, join(dirname(this.#folder), nameOf(this.file, NOBODY)));
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #remember(range: ByteRange): void {
    this.#finished = mergeRanges([...this.#finished, range]);
    if (this.#linesAdded >= COMPACT_LINES) {
      void this.#rewriteJournal();
    } else {
      this.#linesAdded += 1;
      this.#journal.append(rangeLine(range));
    }
  }

  async #rewriteJournal(): Promise<void> {
    this.#linesAdded = 0;
    this.#journal.replace(this.#header() + this.#finished.map(rangeLine).join(''));
    await this.#journal.settled();
  }

  /** Empty before it is known which object the bytes come from. */
  #header(): string {
    const { sha256, size } = this.file;
    return this.#etag === undefined ? '' : headerLine({ etag: this.#etag, sha256, size });
  }

  async #close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    await this.#hash.settled();
    await this.#journal.settled();
    await this.#data.close();
  }
}

function nameOf(file: ManifestFile, owner: string): string {
  return `${file.sha256}~${owner}~${randomBytes(6).toString('hex')}`;
}

async function readdirIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (isFileError(thrown, 'ENOENT')) {
      return [];
    }
    throw thrown;
  }
}
