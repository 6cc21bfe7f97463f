import type { Job } from './job.ts';

/** Those who wait for their turn in one lane with one priority, first come first. */
export class WaitingLine {
  readonly #jobs: Job[] = [];
  #workMs = 0;

  get size(): number {
    return this.#jobs.length;
  }

  /** Expected, of all of them. */
  get workMs(): number {
    return this.#workMs;
  }

  get last(): Job | undefined {
    return this.#jobs.at(-1);
  }

  [Symbol.iterator](): IterableIterator<Job> {
    return this.#jobs.values();
  }

  /** At its place: who comes back goes before those who came later. */
  add(job: Job): void {
    const { last } = this;
    const place =
      last === undefined || last.order < job.order ? -1 : this.#jobs.findIndex(({ order }) => order > job.order);
    this.#jobs.splice(place < 0 ? this.#jobs.length : place, 0, job);
    this.#workMs += job.shareMs;
  }

  remove(job: Job): void {
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    // Sums of fractions do not come back to 0 by themselves.
    this.#workMs = this.#jobs.length === 0 ? 0 : Math.max(0, this.#workMs - job.shareMs);
  }
}
