import { setFlagsFromString } from 'node:v8';

/** As V8 has it by itself: more than it ever starts. */
const ALL = 128;

/**
 * How many threads of V8's may optimise the engine's code at the same time. It starts four, whatever the machine has, and they
 * find the most to do while a model loads and is asked for the first time: with two cores they take them from the load itself. So
 * it is one until the first model is READY, and while any other loads. V8 reads the number whenever a thread could take up more.
 */
export class OptimisingThreads {
  readonly #allow: (threads: number) => void;
  #loads = 0;

  /** @param allow what tells V8 */
  constructor(allow: (threads: number) => void = allowInV8) {
    this.#allow = allow;
    allow(1);
  }

  /** @returns to be called, once, when the load has ended, however it did */
  loadBegins(): () => void {
    this.#loads += 1;
    this.#allow(1);
    return () => {
      this.#loads -= 1;
      if (this.#loads === 0) this.#allow(ALL);
    };
  }
}

function allowInV8(threads: number): void {
  setFlagsFromString(`--wasm-num-compilation-tasks=${threads}`);
}
