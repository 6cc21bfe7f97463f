import { createHash } from 'node:crypto';
import { type Choice, SmallFleet, type SmallFleetOptions } from './small-fleet.ts';

export interface ExploreOptions extends SmallFleetOptions {
  /** Choices in a row. */
  readonly depth: number;
}

export interface Explored {
  /** That are not alike. */
  readonly states: number;
  /** Choices that were tried. */
  readonly steps: number;
  /** The shortest way to something wrong. */
  readonly wrong: { readonly what: string; readonly way: readonly Choice[] } | undefined;
}

/** A way, from its end to its beginning. */
interface Way {
  readonly choice: Choice;
  readonly before: Way | undefined;
}

/**
 * Tries everything that can happen in a small fleet in so many steps, in every order. The shortest ways come first, so each state is
 * gone on from once, from where the most steps are left. Machines that have called back cannot be copied: a state is made again by
 * taking its choices from the beginning.
 */
export function explore({ depth, ...options }: ExploreOptions): Explored {
  const known = new Set<string>();
  let level: (Way | undefined)[] = [undefined];
  let steps = 0;
  for (let length = 0; length < depth && level.length > 0; length++) {
    const next: Way[] = [];
    for (const before of level) {
      let fleet: SmallFleet | undefined = remake(options, before);
      for (const choice of fleet.choices()) {
        fleet ??= remake(options, before);
        const way = { choice, before };
        const what = outcome(fleet, choice);
        steps += 1;
        if (what !== undefined) return { states: known.size, steps, wrong: { what, way: choicesOf(way) } };
        const print = createHash('sha1').update(fleet.fingerprint()).digest('base64');
        fleet = undefined;
        if (known.has(print)) continue;
        known.add(print);
        next.push(way);
      }
    }
    level = next;
  }
  return { states: known.size, steps, wrong: undefined };
}

/** @returns what is wrong after this choice */
function outcome(fleet: SmallFleet, choice: Choice): string | undefined {
  try {
    fleet.take(choice);
  } catch (thrown) {
    return `threw ${String(thrown)}`;
  }
  return fleet.checks.wrong[0];
}

function remake(options: SmallFleetOptions, way: Way | undefined): SmallFleet {
  const fleet = new SmallFleet(options);
  for (const choice of choicesOf(way)) fleet.take(choice);
  return fleet;
}

function choicesOf(way: Way | undefined): readonly Choice[] {
  const choices: Choice[] = [];
  for (let at = way; at !== undefined; at = at.before) choices.push(at.choice);
  return choices.reverse();
}
