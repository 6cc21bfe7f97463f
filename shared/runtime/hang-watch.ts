/** Looks in the time that a run is given: after a freeze one look is late, which must not count for more than one. */
const LOOKS = 120;

/**
 * Watches the runs of one thread, which takes them one after the other: one that was cancelled stops at its next step, so
 * a thread that never comes to it hangs. Keeps no process alive.
 */
export class HangWatch {
  readonly #hangMs: number;
  readonly #onHang: () => void;
  /** In the order in which the thread takes them: whether each was cancelled. */
  readonly #runs = new Map<number, boolean>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** @param hangMs time in which this process ran, for the thread to react */
  constructor(hangMs: number, onHang: () => void) {
    this.#hangMs = hangMs;
    this.#onHang = onHang;
  }

  posted(run: number): void {
    this.#runs.set(run, false);
  }

  cancelled(run: number): void {
    if (!this.#runs.has(run)) return;
    this.#runs.set(run, true);
    this.#timer ??= setInterval(() => this.#look(), this.#hangMs / LOOKS).unref();
  }

  /** The thread is through with it, however it ended. */
  answered(run: number): void {
    this.#runs.delete(run);
    this.#looks = 0;
    if (!Array.from(this.#runs.values()).includes(true)) this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const [isCurrentCancelled] = this.#runs.values();
    // What was cancelled behind another run has not been looked at yet.
    if (isCurrentCancelled !== true) return;
    this.#looks++;
    if (this.#looks < LOOKS) return;
    this.stop();
    this.#onHang();
  }
}
