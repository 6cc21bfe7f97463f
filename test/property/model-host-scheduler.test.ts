import { expect, test } from 'vitest';
import { checkHistories } from '../simulation/check-histories.ts';

test('the scheduler keeps its promises in 3000 random histories, which together take every transition there is', () => {
  const { known, seen } = checkHistories(3_000);

  expect(seen).toEqual(known);
});
