import type { Clock } from './clock.ts';
import { StoreUnavailableError } from './errors.ts';
import type { PartialFile } from './partial-file.ts';
import type { ByteRange } from './ranges.ts';

/** Bytes gathered for one write: a write per chunk of the socket costs more than it copies. */
const WRITE_BYTES = 512 * 1024;
/** Ms after which fewer bytes are written too: a slow source's progress is seen, and a kill loses little of it. */
const WRITE_MS = 1_000;

export interface GatheredWritesOptions {
  readonly partial: PartialFile;
  /** What the chunks must stay inside of. */
  readonly range: ByteRange;
  readonly clock: Clock;
  /** Everything before `end` is in the file. */
  readonly onWritten: (end: number) => void;
}

/** Turns a stream of chunks into few positioned writes that stay inside their range. */
export class GatheredWrites {
  readonly #options: GatheredWritesOptions;
  #position: number;
  #buffers: Uint8Array[] = [];
  #gathered = 0;
  #writtenAt: number;

  constructor(options: GatheredWritesOptions) {
    this.#options = options;
    this.#position = options.range.start;
    this.#writtenAt = options.clock.now();
  }

  /** @throws StoreUnavailableError when the chunk leaves the range; CacheFullError */
  async add(chunk: Uint8Array): Promise<void> {
    const { range, clock } = this.#options;
    if (this.#position + this.#gathered + chunk.length > range.end) {
      throw new StoreUnavailableError('the answer is longer than the range that was asked for');
    }
    this.#buffers.push(chunk);
    this.#gathered += chunk.length;
    if (this.#gathered >= WRITE_BYTES || clock.now() - this.#writtenAt >= WRITE_MS) {
      await this.flush();
    }
  }

  /** Writes what has been gathered. @throws CacheFullError */
  async flush(): Promise<void> {
    const { partial, clock, onWritten } = this.#options;
    this.#writtenAt = clock.now();
    if (this.#gathered === 0) {
      return;
    }
    const buffers = this.#buffers;
    const end = this.#position + this.#gathered;
    this.#buffers = [];
    this.#gathered = 0;
    await partial.write(this.#position, buffers);
    this.#position = end;
    onWritten(end);
  }
}
