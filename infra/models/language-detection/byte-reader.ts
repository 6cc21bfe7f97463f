/** Reads a little-endian file from its beginning to its end. A read past the end throws a RangeError. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that are still unread. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** The next `length` bytes, as a view of the file. */
  bytes(length: number): Uint8Array {
    if (length < 0 || length > this.remaining) {
      throw new RangeError(`the file ends ${length - this.remaining} bytes early`);
    }
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** The bytes before the next NUL, which is read too. */
  untilNul(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.#position);
    const word = this.bytes(end - this.#position);
    this.#position++;
    return word;
  }

  boolean(): boolean {
    return this.#view.getUint8(this.#advance(1)) !== 0;
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** As a number: the counts in these files are far below 2^53. */
  int64(): number {
    return Number(this.#view.getBigInt64(this.#advance(8), true));
  }

  skip(length: number): void {
    this.#advance(length);
  }

  floats(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.#view.getFloat32(this.#advance(4), true));
  }

  #advance(length: number): number {
    const from = this.#position;
    this.#position += length;
    return from;
  }
}
