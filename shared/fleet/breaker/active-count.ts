import { type Change, remove, set, type Update } from '../table/fleet-table.ts';
import { attributesOf, digestKey } from './digest-entry.ts';

/** How many instances call each breaker, for the digest; those that nobody calls any more are taken out. @param now wall clock ms */
export function countActive(
  asked: Iterable<readonly string[]>,
  known: Iterable<string>,
  now: number,
): Update | undefined {
  const counts = new Map<string, number>();
  for (const breakers of asked) for (const breaker of breakers) counts.set(breaker, (counts.get(breaker) ?? 0) + 1);
  const changes: Change[] = Array.from(counts, ([breaker, n]) => set([attributesOf(breaker).active], { n, at: now }));
  for (const breaker of known) if (!counts.has(breaker)) changes.push(remove(attributesOf(breaker).active));
  // Nothing depends on which of two counts comes last.
  return changes.length === 0 ? undefined : { name: 'COUNT', key: digestKey, condition: undefined, changes };
}
