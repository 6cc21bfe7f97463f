/** What is left of a run's weight after the next one: half of it after ten. */
const KEPT_WEIGHT = 0.935;
/** Runs after which the estimate means something: the first ones of a fresh worker are many times slower. */
const TELLING_RUNS = 5;
/** A run counts at most so many times what was expected of it, and at least its inverse: a hiccup of the machine is no trend. */
const MOST_SURPRISE = 3;
/** About what a run takes besides its characters, in characters. */
const FREE_CHARACTERS = 15;
/** The share of a run's time that its length is taken to explain as long as all runs are of one length. */
const EXPLAINED_BY_LENGTH = 0.75;
/** How strongly, in terms of the runs' own spread of lengths. */
const PRIOR_WEIGHT = 0.02;

/**
 * How long runs of one model take, by their characters: a line through the runs of late, fitted for the relative error. Costs
 * the same for each run, and keeps seven numbers.
 */
export class ServiceTime {
  // Sums over the runs, weighted.
  #weight = 0;
  #length = 0;
  #ms = 0;
  #lengthSquared = 0;
  #lengthMs = 0;
  #runs = 0;
  #perRun = 0;
  #perCharacter = 0;

  /** Whether there were enough runs to go by. */
  get isTelling(): boolean {
    return this.#runs >= TELLING_RUNS;
  }

  /** Ms that a run takes besides its characters. */
  get perRunMs(): number {
    return this.#perRun;
  }

  get perCharacterMs(): number {
    return this.#perCharacter;
  }

  /** Ms of a run with so many characters; 0 while nothing is known. */
  expected(characters: number): number {
    return this.#perRun + this.#perCharacter * characters;
  }

  learn(characters: number, tookMs: number): void {
    const expected = this.expected(characters);
    const ms = this.isTelling
      ? Math.min(expected * MOST_SURPRISE, Math.max(expected / MOST_SURPRISE, tookMs))
      : Math.max(tookMs, Number.EPSILON);
    // The first ones are forgotten sooner.
    const kept = Math.min(KEPT_WEIGHT, this.#runs / (this.#runs + 2));
    this.#runs++;
    // Errors count by the run's length, whatever the machine's speed is: else a machine that slows down would be believed late.
    const weight = 1 / (characters + FREE_CHARACTERS) ** 2;
    this.#weight = kept * this.#weight + weight;
    this.#length = kept * this.#length + weight * characters;
    this.#ms = kept * this.#ms + weight * ms;
    this.#lengthSquared = kept * this.#lengthSquared + weight * characters ** 2;
    this.#lengthMs = kept * this.#lengthMs + weight * characters * ms;
    this.#fit();
  }

  #fit(): void {
    const meanLength = this.#length / this.#weight;
    const meanMs = this.#ms / this.#weight;
    const spread = Math.max(0, this.#lengthSquared / this.#weight - meanLength ** 2);
    const common = this.#lengthMs / this.#weight - meanLength * meanMs;
    const prior = PRIOR_WEIGHT * meanLength ** 2;
    const slope = (common + prior * EXPLAINED_BY_LENGTH * (meanMs / meanLength)) / (spread + prior);
    this.#perCharacter = Math.min(meanMs / meanLength, Math.max(0, slope));
    this.#perRun = meanMs - this.#perCharacter * meanLength;
  }
}
