import { closeSync, openSync } from 'node:fs';

/** A file on its way that other threads may read as it comes. Plain data, to be posted to them. */
export interface ArrivingFile {
  /** For reading; stays open until the file's `Arrival` is closed, whatever becomes of the file's name. */
  readonly descriptor: number;
  /**
   * One 64-bit integer: so many bytes from the file's beginning are on disk. It only grows, and whoever waits on it is
   * woken. A file that does not come to its end wakes nobody: whoever has it read ends the reader.
   */
  readonly arrived: SharedArrayBuffer;
}

/** Tells other threads how far a file has come. */
export class Arrival {
  readonly file: ArrivingFile;
  readonly #arrived: BigInt64Array<SharedArrayBuffer>;
  #isVoid = false;

  /** @param path where the file lies at this moment */
  constructor(path: string) {
    this.file = {
      descriptor: openSync(path, 'r'),
      arrived: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT),
    };
    this.#arrived = new BigInt64Array(this.file.arrived);
  }

  /** Whether bytes that were said to be there are not those of the file: whoever has read any must begin anew. */
  get isVoid(): boolean {
    return this.#isVoid;
  }

  /** Everything before `end` is in the file. */
  reached(end: number): void {
    Atomics.store(this.#arrived, 0, BigInt(end));
    Atomics.notify(this.#arrived, 0);
  }

  /** What has arrived is thrown away; nothing more will be said to be there. */
  void(): void {
    this.#isVoid = true;
  }

  /** Nobody reads it any more. */
  close(): void {
    closeSync(this.file.descriptor);
  }
}
