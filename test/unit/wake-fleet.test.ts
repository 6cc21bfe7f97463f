import { expect, it } from 'vitest';
import type { InvokeLater } from '../../shared/fleet/lambda-invoke.ts';
import { createWakeFleet } from '../../shared/fleet/wake-fleet.ts';
import { wakeEvent } from '../../shared/wake-event.ts';

function stage(invoke: InvokeLater, functions: readonly string[] = ['a:live', 'b:live']) {
  const warnings: unknown[] = [];
  let connections = 0;
  const wakeFleet = createWakeFleet({
    functions,
    connect: async () => {
      connections += 1;
      return invoke;
    },
    timeoutMs: 20,
    log: { warn: (event, fields) => void warnings.push({ event, ...fields }) },
  });
  return { wakeFleet, warnings, connections: () => connections };
}

it('calls each function that holds models, by one client', async () => {
  const calls: unknown[] = [];
  const { wakeFleet, connections } = stage(async (name, event) => void calls.push([name, event]));

  expect([await wakeFleet(), await wakeFleet()]).toEqual([true, true]);

  expect(calls.slice(0, 2)).toEqual([
    ['a:live', wakeEvent],
    ['b:live', wakeEvent],
  ]);
  expect(calls).toHaveLength(4);
  expect(connections()).toBe(1);
});

it('says that it could not where there is none, and brings no client for it', async () => {
  const { wakeFleet, connections } = stage(async () => undefined, []);
  expect(await wakeFleet()).toBe(false);
  expect(connections()).toBe(0);
});

it.each<readonly [string, InvokeLater]>([
  ['Lambda refuses', () => Promise.reject(new Error('AccessDenied'))],
  ['one is not there', (name) => (name === 'a:live' ? Promise.resolve() : Promise.reject(new Error('not there')))],
  ['Lambda does not answer, whatever signal it is given', () => new Promise(() => {})],
])('says so, and in the log why, when %s', async (_, invoke) => {
  const { wakeFleet, warnings } = stage(invoke);
  expect(await wakeFleet()).toBe(false);
  expect(warnings).toMatchObject([{ event: 'fleet.wake_failed', reason: expect.any(String) }]);
});

it('does not wait for a client that never comes', async () => {
  const wakeFleet = createWakeFleet({
    functions: ['a:live'],
    connect: () => new Promise(() => {}),
    timeoutMs: 20,
    log: { warn: () => undefined },
  });
  expect(await wakeFleet()).toBe(false);
});
