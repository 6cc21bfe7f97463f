import type { WeightsFile } from './weights-file.ts';

/** What the engine asks of external data that is mounted: the package's own JavaScript has a `Uint8Array` for it. */
export interface ExternalData {
  readonly byteLength: number;
  subarray(begin: number, end: number): Uint8Array;
}

/** Bytes of the room for a range that are kept from one range to the next; a larger one is given back to the system. */
const ROOM_BYTES = 8 * 1024 * 1024;

/**
 * The weights of a version's graphs, read range by range as the engine asks for them: they are never in JavaScript's memory
 * as a whole, and a range that has not arrived yet is waited for.
 */
export class ExternalWeights {
  /** By this name the graphs refer to them. */
  readonly name: string;
  /** To be mounted. A range is valid until the next one is asked for. */
  readonly data: ExternalData;
  readonly #file: WeightsFile;
  readonly #room: ArrayBuffer;
  #failure: { readonly thrown: unknown } | undefined;
  #isMisread = false;

  constructor(name: string, file: WeightsFile) {
    this.name = name;
    this.#file = file;
    this.#room = new ArrayBuffer(0, { maxByteLength: Math.max(file.size, ROOM_BYTES) });
    const data: ExternalData = {
      byteLength: file.size,
      subarray: (begin, end) => this.#range(begin, end),
    };
    this.data = new Proxy(data, {
      get: (target, name) => {
        if (name === 'byteLength' || name === 'subarray') return target[name];
        this.#isMisread = true;
        return undefined;
      },
    });
  }

  /** The engine wanted something of the data that is not there: it has to be given all bytes. */
  get isMisread(): boolean {
    return this.#isMisread;
  }

  /** All of them, in memory. */
  whole(): Uint8Array {
    const bytes = new Uint8Array(this.#file.size);
    this.#file.read(bytes, 0);
    return bytes;
  }

  /** What a range could not be read for, which the engine keeps to itself. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  #range(begin: number, end: number): Uint8Array {
    try {
      const length = end - begin;
      if (length > this.#room.byteLength || this.#room.byteLength > ROOM_BYTES) {
        this.#room.resize(Math.max(length, ROOM_BYTES));
      }
      const range = new Uint8Array(this.#room, 0, length);
      this.#file.read(range, begin);
      return range;
    } catch (thrown) {
      this.#failure = { thrown };
      throw thrown;
    }
  }
}
