import { SlidingWindow } from '../../breaker/sliding-window.ts';

/** Of the past that an instance judges by. */
const WINDOW_MS = 10_000;
/** Between two moments at which good calls are put into the window. */
const ROLL_MS = 2_000;
/** Age of the last bad call from which on nothing is shown any more: the length of a window of votes. */
const SHOWN_MS = 30_000;
/**
 * Of these half must be bad, whatever their age: who sees a call now and then would take one that failed for all of its calls of
 * late, and a large fleet of such instances would trip over a model that fails one call in ten.
 */
const RECENT_CALLS = 6;
const FAILURE_PERCENT = 50;
const SLOW_PERCENT = 80;

/**
 * What this instance's own calls of late say, from the first on, since it may see few. Good calls are only counted, and
 * are put into the window now and then: they must not cost a look at the clock. All times are elapsed ms.
 */
export class OwnWindow {
  readonly #window = new SlidingWindow(WINDOW_MS);
  #good = 0;
  #goodInARow = 0;
  #badInARow = 0;
  /** The last calls up to the last bad one, the newest lowest: a bit is set for a bad one. */
  #recent = 0;
  #recentCalls = 0;
  #rolledAt = Number.NEGATIVE_INFINITY;
  #badAt = Number.NEGATIVE_INFINITY;

  succeeded(): void {
    this.#good += 1;
    this.#goodInARow += 1;
    this.#badInARow = 0;
  }

  bad(now: number, { failed, slow }: { readonly failed: boolean; readonly slow: boolean }): void {
    this.#roll(now);
    this.#window.add(now, failed, slow);
    this.#badAt = now;
    this.#badInARow += 1;
    const good = this.#recentGood();
    this.#recent = (this.#recent << (good + 1)) | 1;
    this.#recentCalls += good + 1;
    this.#goodInARow = 0;
  }

  /** Bad calls of late, or in a row if those are more: who sees a call now and then has none in its window but the last. */
  badCalls(now: number): number {
    this.#roll(now);
    return Math.max(this.#badInARow, this.#window.failures + this.#window.slow);
  }

  /** To be called every few seconds, or a good call of long ago counts like one of now. */
  tick(now: number): void {
    if (this.#good > 0 && now - this.#rolledAt >= ROLL_MS) this.#roll(now);
  }

  /** Whether most calls of late failed or were slow, or so many that the breaker itself has opened. */
  showsFailure(now: number, isOpen: boolean): boolean {
    if (now - this.#badAt >= SHOWN_MS) return false;
    if (isOpen) return true;
    if (!this.#isMostlyBad()) return false;
    this.#roll(now);
    const { calls, failures, slow } = this.#window;
    return calls > 0 && (failures * 100 >= FAILURE_PERCENT * calls || slow * 100 >= SLOW_PERCENT * calls);
  }

  /** Whether half of the last calls were bad, however long ago they were. */
  #isMostlyBad(): boolean {
    const good = this.#recentGood();
    const calls = Math.min(RECENT_CALLS, this.#recentCalls + good);
    let bad = 0;
    for (let call = good; call < calls; call++) bad += (this.#recent >> (call - good)) & 1;
    return bad * 2 >= calls;
  }

  /** Since the last bad one, as far as they matter. */
  #recentGood(): number {
    return Math.min(RECENT_CALLS, this.#goodInARow);
  }

  #roll(now: number): void {
    this.#rolledAt = now;
    this.#window.addGood(now, this.#good);
    this.#good = 0;
  }
}
