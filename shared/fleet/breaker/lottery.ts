/** One draw for each stretch of time, however often it is asked for: a probability for instances, not for calls. */
export class Lottery {
  readonly #random: () => number;
  #drawn: { readonly for: string; readonly number: number } | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param occasion what is drawn for, and the stretch of time */
  wins(occasion: string, probability: number): boolean {
    if (probability >= 1) return true;
    if (this.#drawn?.for !== occasion) this.#drawn = { for: occasion, number: this.#random() };
    return this.#drawn.number < probability;
  }
}
