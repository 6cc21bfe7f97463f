import type { Spread } from './admission-report.ts';

/** How many of the newest count. */
const KEPT = 256;

/** The newest of a series of numbers. */
export class Recent {
  readonly #values: number[] = [];
  #next = 0;

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Undefined while there are none. */
  spread(): Spread | undefined {
    if (this.#values.length === 0) return undefined;
    const sorted = this.#values.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
    return { p50: at(0.5), p90: at(0.9) };
  }
}
