/** The share of the admitted that may take longer than their prediction times the margin. */
const LATE_SHARE = 0.005;
const STEP = 0.1;
const START = 1.3;
const LEAST = 1.05;
const MOST = 4;
/** Who was predicted to take less of its time than this was in no danger, and says nothing of it. */
const TELLING_SHARE = 0.25;

/** By how much predictions are stretched, so that hardly anybody who is admitted misses its deadline: follows how wrong they were. */
export class SafetyMargin {
  #factor = START;

  get factor(): number {
    return this.#factor;
  }

  /** A request took so long from the gate on, all in ms; `Infinity`: its deadline passed first. */
  learn(predictedMs: number, tookMs: number, allowedMs: number): void {
    if (predictedMs < TELLING_SHARE * allowedMs) return;
    const wasLate = tookMs > predictedMs * this.#factor;
    const step = wasLate ? STEP * (1 - LATE_SHARE) : -STEP * LATE_SHARE;
    this.#factor = Math.min(MOST, Math.max(LEAST, this.#factor + step));
  }
}
