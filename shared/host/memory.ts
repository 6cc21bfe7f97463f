/** What the process may use and does use, in MB (2^20 bytes). */
export interface MemoryReading {
  /** What the platform ends the process at. */
  readonly limitMb: number;
  /** Resident now: code, heaps of all threads, WebAssembly. */
  readonly rssMb: number;
}

export interface MemoryReader {
  /** Undefined when it cannot be told; then nothing is loaded. */
  read(): MemoryReading | undefined;
}
