import type { SeededRandom } from '../../simulation/fleet/seeded-random.ts';

/** What one caller wants. */
export interface Wish {
  readonly size: 'short' | 'long';
  /** Ms in which it is of use. */
  readonly deadlineMs: number;
  /** JSON. */
  readonly body: string;
}

const LONG_SHARE = 0.2;
const LONG_SENTENCES = { least: 4, most: 10 } as const;
/** From one who types to one who can wait. */
const DEADLINES_MS = [800, 1_500, 3_000] as const;

/**
 * A caller as they come: four of five want a sentence, the fifth a paragraph of some; each has a deadline that has nothing to
 * do with its length. Like all that is random here it follows from the seed.
 */
export function nextWish(sentences: readonly string[], random: SeededRandom): Wish {
  const isLong = random.happens(LONG_SHARE);
  const count = isLong ? random.whole(LONG_SENTENCES.least, LONG_SENTENCES.most) : 1;
  const q = Array.from({ length: count }, () => random.pick(sentences)).join(' ');
  return {
    size: isLong ? 'long' : 'short',
    deadlineMs: random.pick(DEADLINES_MS),
    body: JSON.stringify({ q, source: 'en', target: 'es' }),
  };
}

/** When callers come who know nothing of each other: a Poisson process, in ms from its start. */
export function arrivalTimes(perSecond: number, durationMs: number, random: SeededRandom): number[] {
  const times: number[] = [];
  for (let time = random.untilNext(perSecond); time < durationMs; time += random.untilNext(perSecond)) times.push(time);
  return times;
}
