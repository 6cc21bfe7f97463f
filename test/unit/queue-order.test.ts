import { describe, expect, test } from 'vitest';
import type { LoadPriority } from '../../shared/host/model-host.ts';
import { inOrder, isAwaited, isDue, priorityOf, yieldsTo } from '../../shared/host/queue-order.ts';
import type { Queued, Slot } from '../../shared/host/slot.ts';
import { isQueued, type QueuedSlot, SlotTable } from '../../shared/host/slot-table.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

function slotOf(id: string, priorities: readonly LoadPriority[] = []): Slot {
  const slot = new SlotTable(new Set(), () => undefined).slotOf(scriptedManifest(id, '1'));
  for (const priority of priorities) {
    const unused = () => undefined;
    slot.waiters.add({ priority, wantsLease: true, keepAliveMs: undefined, granted: unused, refused: unused });
  }
  return slot;
}

function queued(id: string, state: Partial<Queued> = {}, priorities: readonly LoadPriority[] = []): QueuedSlot {
  const slot = slotOf(id, priorities);
  slot.state = { kind: 'QUEUED', order: 1, notBefore: 0, ...state };
  if (!isQueued(slot)) throw new Error('it is not in the queue');
  return slot;
}

describe('the priority of a model', () => {
  test.each<[readonly LoadPriority[], LoadPriority]>([
    [[], 'background'],
    [['background'], 'background'],
    [['background', 'batch'], 'batch'],
    [['batch', 'interactive', 'batch'], 'interactive'],
  ])('for which %j wait is %s', (priorities, expected) => {
    const slot = slotOf('model', priorities);

    expect(priorityOf(slot)).toBe(expected);
    expect(isAwaited(slot)).toBe(expected !== 'background');
  });

  test('makes others yield that have less of it', () => {
    const batch = slotOf('model', ['batch']);

    expect([yieldsTo(batch, 'interactive'), yieldsTo(batch, 'batch'), yieldsTo(batch, 'background')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('the queue', () => {
  test('is ordered by priority, then by order, and holds nobody else', () => {
    const slots = [
      queued('nobody', { order: 1 }),
      queued('second', { order: 4 }, ['interactive']),
      queued('batch', { order: 2 }, ['batch']),
      queued('first', { order: 3 }, ['interactive']),
      slotOf('unloaded', ['interactive']),
    ];

    expect(inOrder(slots).map(({ manifest }) => manifest.id)).toEqual(['first', 'second', 'batch', 'nobody']);
  });

  test.each([
    ['whose time has come', { notBefore: 100 }, 0, true],
    ['whose time has not come', { notBefore: 101 }, 0, false],
    ['of which something is left', { notBefore: 0 }, 1, false],
  ])('lets one begin %s: %j, %i, %s', (_, state, remains, expected) => {
    const slot = queued('model', state);
    slot.remains = remains;

    expect(isDue(slot, 100)).toBe(expected);
  });
});
