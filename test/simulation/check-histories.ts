import fc from 'fast-check';
import { transitions } from '../../shared/host/model-state.ts';
import { anyHostEvent, anyHostSettings } from './host-events.ts';
import { play } from './host-history.ts';

/**
 * Plays so many random histories; throws with seed, path and the shortest history when something is wrong with one.
 * @returns the transitions of the table, and those that occurred, as `FROM > TO`
 */
export function checkHistories(numRuns: number): {
  readonly known: readonly string[];
  readonly seen: readonly string[];
} {
  const seen = new Set<string>();
  const anyHistory = fc.record({
    settings: anyHostSettings,
    events: fc.array(anyHostEvent, { minLength: 1, maxLength: 60, size: 'max' }),
    stubborn: fc.oneof(fc.constant(0), fc.nat(255)),
    releases: fc.boolean(),
  });
  fc.assert(
    fc.property(anyHistory, (history) => {
      const wrong = play(history, seen);
      if (wrong.length > 0) throw new Error(wrong.join('; '));
    }),
    { numRuns },
  );
  const known = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} > ${to}`));
  return { known: known.sort(), seen: [...seen].sort() };
}
