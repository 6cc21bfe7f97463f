import { test } from 'vitest';
import { checkPermits } from './permit-history.ts';

test('permits keep their promises in 50000 random histories', () => {
  checkPermits(50_000);
});
