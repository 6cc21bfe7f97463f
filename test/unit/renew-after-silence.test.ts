import { expect, it } from 'vitest';
import { renewAfterSilence } from '../../shared/fleet/renew-after-silence.ts';
import { createTestControl } from '../support/control-app.ts';

function stage() {
  const at = { now: 1_000_000 };
  let renewals = 0;
  const stores = { renewConnections: () => (renewals += 1) };
  const sleeper = renewAfterSilence(stores, { now: () => at.now });
  const after = (ms: number) => {
    at.now += ms;
    sleeper.wake();
    return renewals;
  };
  return { sleeper, after };
}

it('connections are renewed after a silence in which the instance may have been frozen, and not between requests', () => {
  const { after } = stage();
  expect(after(10_000)).toBe(0);
  expect(after(9_999)).toBe(0);
  expect(after(10_001)).toBe(1);
  expect(after(1)).toBe(1);
  // The clock was set back, by nobody knows how much.
  expect(after(-1)).toBe(2);
});

it('by the control app, before it asks who calls', async () => {
  const seen: string[] = [];
  const { app } = createTestControl({
    sleepers: [{ wake: () => seen.push('wakes') }],
    authenticate: async () => {
      seen.push('asks');
      return { kind: 'anonymous', scopes: ['read'] };
    },
  });
  await app.request('/health/models');
  expect(seen).toEqual(['wakes', 'asks']);
});
