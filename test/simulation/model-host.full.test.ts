import { expect, test } from 'vitest';
import { checkHistories } from './check-histories.ts';

test('the scheduler keeps its promises in 60000 random histories', () => {
  const { known, seen } = checkHistories(60_000);

  expect(seen).toEqual(known);
});
