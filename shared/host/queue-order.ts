import type { LoadPriority } from './model-host.ts';
import type { Slot } from './slot.ts';
import { isQueued, type QueuedSlot } from './slot-table.ts';

const ranks: Readonly<Record<LoadPriority, number>> = { interactive: 0, batch: 1, background: 2 };

/** The most urgent of those who wait; `background` when nobody does. */
export function priorityOf(slot: Slot): LoadPriority {
  let best: LoadPriority = 'background';
  for (const { priority } of slot.waiters) if (ranks[priority] < ranks[best]) best = priority;
  return best;
}

/** Whether somebody waits for it, other than in the background. */
export function isAwaited(slot: Slot): boolean {
  return priorityOf(slot) !== 'background';
}

/** The queue, first to go first: by priority, then by order. */
export function inOrder(slots: Iterable<Slot>): QueuedSlot[] {
  return Array.from(slots)
    .filter(isQueued)
    .map((slot) => ({ slot, rank: ranks[priorityOf(slot)] }))
    .sort((a, b) => a.rank - b.rank || a.slot.state.order - b.slot.state.order)
    .map(({ slot }) => slot);
}

/** Whether its load may begin: its time has come, and what is left of the one before is gone. */
export function isDue(slot: QueuedSlot, now: number): boolean {
  return slot.state.notBefore <= now && slot.remains === 0;
}

/** Whether `priority` may push this one out of a full queue. */
export function yieldsTo(slot: Slot, priority: LoadPriority): boolean {
  return ranks[priority] < ranks[priorityOf(slot)];
}
