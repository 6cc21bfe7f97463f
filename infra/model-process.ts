/**
 * What a process that holds models is started with, beside its settings. glibc reads it when it starts, so a process cannot say it
 * to itself. Measured: docs/model-host.md.
 */
export const modelProcess = {
  /** One heap for all threads: what one of them has freed serves the others too. A model computes in a heap of its own. */
  MALLOC_ARENA_MAX: '1',
  /**
   * Bytes: from there on, what is freed is given back to the system, not kept among smaller pieces. With 32768 the pieces in which
   * V8's compilers take memory went back too, but so did every buffer of the network, which took a third more processor time.
   */
  MALLOC_MMAP_THRESHOLD_: '65536',
  /** Bytes at the end of the heap that may stay with the process when they are free, and that are taken in advance. */
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '0',
} as const;
