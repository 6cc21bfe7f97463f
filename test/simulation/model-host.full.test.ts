import { expect, test } from 'vitest';
import { checkHistories } from './check-histories.ts';

test('the scheduler keeps its promises in 100000 random histories', () => {
  const { known, seen } = checkHistories(100_000);

  expect(seen).toEqual(known);
});
