import { expect } from 'vitest';
import { expectedEvents } from './expected-events.ts';
import { stories } from './fleet-plan.ts';
import { type FleetTally, replayCommand, totals } from './fleet-tally.ts';

/** Nothing went wrong in any of these histories. @param instances that all of them had, unless they followed from the seed */
export function expectNothingWrong({ failures }: FleetTally, instances?: number): void {
  expect(failures.map((one) => `${one.story}: ${one.wrong}; ${replayCommand(one, instances)}`)).toEqual([]);
}

/** And together they had all that there is to try. */
export function expectSoundHistories(tally: FleetTally, histories: number): void {
  expectNothingWrong(tally);
  expect(tally.histories).toBe(histories);
  expect(Object.keys(tally.seen).toSorted()).toEqual(stories.toSorted());
  const seen = totals(tally);
  expect(expectedEvents.filter((what) => seen[what] === undefined)).toEqual([]);
}
