/** Which models the scheduler does not unload by itself: those of the configuration, and those that are pinned for a time. */
export class StayingModels {
  readonly #configured: ReadonlySet<string>;
  readonly #clock: { wall(): number };
  /** Wall ms until when, by id. */
  readonly #pins = new Map<string, number>();

  constructor(configured: Iterable<string>, clock: { wall(): number }) {
    this.#configured = new Set(configured);
    this.#clock = clock;
  }

  has(id: string): boolean {
    return this.#configured.has(id) || (this.#pins.get(id) ?? 0) > this.#clock.wall();
  }

  /** @param untilMs wall clock; undefined: until it is unpinned */
  pin(id: string, untilMs = Infinity): void {
    this.#pins.set(id, untilMs);
  }

  unpin(id: string): void {
    this.#pins.delete(id);
  }
}
