import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ArrivingFile } from '../../repository/arrival.ts';
import { ModelUnsupportedError } from '../errors.ts';

/** Most that one call to the system reads. */
const READ_CHUNK = 64 * 1024 * 1024;

/** A version's weights on disk. While they are on their way, a read stops the thread until its bytes are there. */
export class WeightsFile {
  /** Bytes, those to come included. */
  readonly size: number;
  readonly #descriptor: number;
  /** Whose descriptor is another's. */
  readonly #arrived: BigInt64Array<SharedArrayBuffer> | undefined;

  /** @param source its path, or the file that is on its way and has its whole size from the start */
  constructor(source: string | ArrivingFile) {
    const isWhole = typeof source === 'string';
    this.#descriptor = isWhole ? openSync(source, 'r') : source.descriptor;
    this.#arrived = isWhole ? undefined : new BigInt64Array(source.arrived);
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Fills `into` with what begins at `position`. @throws ModelUnsupportedError when the file ends before */
  read(into: Uint8Array, position: number): void {
    this.#await(position + into.length);
    for (let done = 0; done < into.length; ) {
      const wanted = Math.min(READ_CHUNK, into.length - done);
      const read = readSync(this.#descriptor, into, done, wanted, position + done);
      if (read === 0) throw new ModelUnsupportedError('the weights end before what was asked of them');
      done += read;
    }
  }

  close(): void {
    if (this.#arrived === undefined) closeSync(this.#descriptor);
  }

  /** Whoever downloads ends this thread if the bytes will never come. */
  #await(end: number): void {
    if (this.#arrived === undefined) return;
    for (;;) {
      const arrived = Atomics.load(this.#arrived, 0);
      if (arrived >= end) return;
      Atomics.wait(this.#arrived, 0, arrived);
    }
  }
}
