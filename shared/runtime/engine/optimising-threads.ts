import { setFlagsFromString } from 'node:v8';

/** As V8 has it by itself: more than it ever starts. */
const ALL = 128;
/** Bytes of a model from which on its memory counts more than the moment at which the engine's code is fast. */
const LARGE_BYTES = 32 * 2 ** 20;

/**
 * How many threads of V8's may optimise the engine's code at the same time. It has four, whatever the machine has, and what each
 * of them works with stays with the process as free memory. A small model is quick with all of them; while a large one loads, whose
 * weights take longer to come than the code to be compiled, one is enough. V8 reads the number whenever a thread could take up more.
 */
export class OptimisingThreads {
  readonly #allow: (threads: number) => void;
  #largeLoads = 0;

  /** @param allow what tells V8 */
  constructor(allow: (threads: number) => void = allowInV8) {
    this.#allow = allow;
  }

  /**
   * @param bytes of the model's files
   * @returns to be called, once, when the load has ended, however it did
   */
  loadBegins(bytes: number): () => void {
    if (bytes < LARGE_BYTES) return () => undefined;
    this.#largeLoads += 1;
    this.#allow(1);
    return () => {
      this.#largeLoads -= 1;
      if (this.#largeLoads === 0) this.#allow(ALL);
    };
  }
}

function allowInV8(threads: number): void {
  setFlagsFromString(`--wasm-num-compilation-tasks=${threads}`);
}
