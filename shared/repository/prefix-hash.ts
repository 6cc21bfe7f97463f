import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const READ_BYTES = 1024 * 1024;

/**
 * sha256 of a file while it is being written out of order. Bytes that come in order are hashed as they come; what came
 * early is read back from the file (still in the system's cache) once the gap before it is closed.
 */
export class PrefixHash {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #position = 0;
  #reading: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Bytes that have just been written at `offset`. */
  offer(offset: number, buffers: readonly Uint8Array[]): void {
    if (this.#busy || offset !== this.#position) {
      return;
    }
    for (const bytes of buffers) {
      this.#hash.update(bytes);
      this.#position += bytes.length;
    }
  }

  /** Everything before `end` is in the file. A failure shows in `digest`. */
  reached(end: number): void {
    this.#reading = this.#reading.then(() => this.#readUpTo(end));
    this.#reading.catch(() => undefined);
  }

  /** Lower case hex of the first `size` bytes, which are all in the file. */
  async digest(size: number): Promise<string> {
    this.reached(size);
    await this.#reading;
    return this.#hash.digest('hex');
  }

  /** Resolves when it no longer reads from the file. */
  async settled(): Promise<void> {
    await this.#reading.catch(() => undefined);
  }

  async #readUpTo(end: number): Promise<void> {
    if (this.#position >= end) {
      return;
    }
    this.#busy = true;
    try {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - this.#position));
      while (this.#position < end) {
        const wanted = Math.min(buffer.length, end - this.#position);
        const { bytesRead } = await this.#file.read(buffer, 0, wanted, this.#position);
        if (bytesRead === 0) {
          throw new Error('the file ended while it was hashed');
        }
        this.#hash.update(buffer.subarray(0, bytesRead));
        this.#position += bytesRead;
      }
    } finally {
      this.#busy = false;
    }
  }
}

/** sha256 of a whole file on disk, lower case hex. */
export async function hashFile(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  return new PrefixHash(file).digest(size);
}
