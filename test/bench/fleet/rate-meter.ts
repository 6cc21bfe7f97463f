const SLOT_MS = 100;
const SLOTS_PER_SECOND = 10;

/** Counts what happens in slots of 100 ms, so that the highest of all seconds is found wherever it begins. */
export class RateMeter {
  readonly #slots: number[] = [];

  /** @param at ms since the beginning */
  count(at: number): void {
    const slot = Math.floor(at / SLOT_MS);
    while (this.#slots.length <= slot) this.#slots.push(0);
    this.#slots[slot] = (this.#slots[slot] ?? 0) + 1;
  }

  /** In the second that begins then. */
  inSecondFrom(at: number): number {
    return this.between(at, at + SLOT_MS * SLOTS_PER_SECOND);
  }

  /** From the slot of one moment up to that of the other. */
  between(from: number, until: number): number {
    let sum = 0;
    for (const count of this.#slots.slice(Math.floor(from / SLOT_MS), Math.floor(until / SLOT_MS))) sum += count;
    return sum;
  }

  /** Of all seconds from then on, the one that has most of them. */
  highestSecond(from = 0): number {
    let highest = 0;
    let sum = 0;
    for (const [slot, count] of this.#slots.entries()) {
      if (slot * SLOT_MS < from) continue;
      const leaving = slot - SLOTS_PER_SECOND;
      sum += count - (leaving * SLOT_MS < from ? 0 : (this.#slots[leaving] ?? 0));
      highest = Math.max(highest, sum);
    }
    return highest;
  }
}

/** The end of the first second of which one meter has at least this share of what both have. @returns ms; undefined: there is none */
export function firstSecond(
  of: RateMeter,
  other: RateMeter,
  { share, from, until }: { readonly share: number; readonly from: number; readonly until: number },
): number | undefined {
  for (let at = Math.ceil(from / SLOT_MS) * SLOT_MS; at < until; at += SLOT_MS) {
    const count = of.inSecondFrom(at);
    const all = count + other.inSecondFrom(at);
    if (all > 0 && count >= share * all) return at + SLOT_MS * SLOTS_PER_SECOND;
  }
  return undefined;
}
