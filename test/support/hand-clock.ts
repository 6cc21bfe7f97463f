/** Time that passes when the test says so. */
export class HandClock {
  /** Ms since the epoch. */
  wallMs = 1_000_000;
  /** Ms in which the instance ran. */
  awakeMs = 0;

  wall(): number {
    return this.wallMs;
  }

  awake(): number {
    return this.awakeMs;
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.awakeMs += ms;
  }

  /** Time in which the instance does not run. */
  freeze(ms: number): void {
    this.wallMs += ms;
  }
}
