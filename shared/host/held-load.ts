import type { ModelWorker } from '../runtime/model-worker.ts';
import type { LoadObserver } from './model-loader.ts';

type Loaded = Awaited<ReturnType<ModelWorker['load']>>;

/** A worker's load that may begin before its files are verified: until then nobody hears of it. */
export class HeldLoad {
  readonly #observer: LoadObserver;
  readonly #loaded: Promise<Loaded>;
  #isVerified = false;
  #isWarming = false;

  constructor(observer: LoadObserver, load: (onWarming: () => void) => Promise<Loaded>) {
    this.#observer = observer;
    this.#loaded = load(() => {
      this.#isWarming = true;
      if (this.#isVerified) observer.onWarming();
    });
    // What it fails of may be the fault of bytes that turn out to be wrong.
    this.#loaded.catch(() => undefined);
  }

  /** Every byte that it has read, or will read, is right. */
  verified(): Promise<Loaded> {
    this.#isVerified = true;
    this.#observer.onInitializing();
    if (this.#isWarming) this.#observer.onWarming();
    return this.#loaded;
  }
}
