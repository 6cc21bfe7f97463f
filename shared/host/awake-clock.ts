/** Two readings of the same time; a platform's freeze may stop the second. Both in ms. */
export interface ClockReadings {
  /** Since the epoch. */
  wall(): number;
  /** Since some moment, never backwards. */
  monotonic(): number;
}

/** No beat is this late unless the instance was frozen (or its event loop was). */
const LONGEST_BEAT_MS = 2_000;

/**
 * Tells apart the time that went by and the time in which the instance ran: Lambda freezes it between requests, and only
 * the latter may count against a load. Somebody must call `beat` more often than every two seconds while it runs, and `rest` where a freeze may begin.
 */
export class AwakeClock {
  readonly #readings: ClockReadings;
  #awake = 0;
  #lastWall: number;
  #lastMonotonic: number;
  #isResting = false;
  #wasFrozen = false;

  constructor(readings: ClockReadings) {
    this.#readings = readings;
    this.#lastWall = readings.wall();
    this.#lastMonotonic = readings.monotonic();
  }

  /** Ms since the epoch. */
  wall(): number {
    return this.#readings.wall();
  }

  /** Ms in which the instance ran, since this clock was made. */
  awake(): number {
    return this.#isResting ? this.#awake : this.#awake + Math.min(this.#sinceBeat(), LONGEST_BEAT_MS);
  }

  /** @returns whether the instance was frozen since this, or `resume`, was called last */
  beat(): boolean {
    this.#count();
    const wasFrozen = this.#wasFrozen;
    this.#wasFrozen = false;
    return wasFrozen;
  }

  /** The instance may be frozen at any moment from now on: nothing counts until `resume`. */
  rest(): void {
    this.#count();
    this.#isResting = true;
  }

  /** The instance has work again. @returns as `beat` */
  resume(): boolean {
    const wasFrozen = this.beat();
    this.#isResting = false;
    return wasFrozen;
  }

  #count(): void {
    const wall = this.#readings.wall();
    const monotonic = this.#readings.monotonic();
    this.#awake = this.awake();
    // A freeze shows on the wall clock alone where it stops the other.
    if (Math.max(wall - this.#lastWall, monotonic - this.#lastMonotonic) > LONGEST_BEAT_MS) this.#wasFrozen = true;
    this.#lastWall = wall;
    this.#lastMonotonic = monotonic;
  }

  #sinceBeat(): number {
    const wall = this.#readings.wall() - this.#lastWall;
    const monotonic = this.#readings.monotonic() - this.#lastMonotonic;
    // The wall clock may be set back; the other never is.
    return wall < 0 ? monotonic : Math.min(wall, monotonic);
  }
}

export const systemReadings: ClockReadings = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};
