import { absent, all, any, type Condition, equals, remove, set, type Update } from '../table/fleet-table.ts';
import { type PermitRecord, permitKey, slotName } from './permit-record.ts';

/*
 * Every step of a permit: one conditional write each. The fence stands for everything that only an ACQUIRE changes: while it is
 * the one that was read, no place that was free has been taken, and no place has another holder; so no condition names those.
 */

/** A permit as its holder knows it. */
export interface HeldPermit {
  readonly model: string;
  readonly place: number;
  readonly fence: number;
}

/**
 * Takes a place that was free, or whose holder has shown no life for its lease: unless anybody has taken one meanwhile, or that
 * holder was alive after all. A place beyond what the operator allows by now is not taken.
 */
export function acquire(
  model: string,
  { fence, slots }: Pick<PermitRecord, 'fence' | 'slots'>,
  wish: { readonly place: number; readonly owner: string; readonly attempt: string; readonly leaseMs: number },
): Update {
  const { place, owner, attempt, leaseMs } = wish;
  const name = slotName(place);
  const stale = slots.get(place);
  const next = fenceAfter(fence);
  const clauses: Condition[] = [fence === undefined ? absent('f') : equals(['f'], fence)];
  if (stale !== undefined) clauses.push(equals([name, 'q'], stale.renewals));
  clauses.push(any(absent('n'), { kind: 'above', path: ['n'], value: place }));
  return {
    name: 'ACQUIRE',
    key: permitKey(model),
    condition: all(...clauses),
    changes: [set([name], { o: owner, r: attempt, l: leaseMs, q: 0, fence: next }), set(['f'], next)],
  };
}

/** The fence that an ACQUIRE gives after this one. */
export function fenceAfter(fence: number | undefined): number {
  return (fence ?? 0) + 1;
}

/** @param renewals another number for each sending: one that comes late, or twice, never undoes a later one */
export function renew({ model, place, fence }: HeldPermit, renewals: number): Update {
  const name = slotName(place);
  return {
    name: 'RENEW',
    key: permitKey(model),
    condition: all(equals([name, 'fence'], fence), { kind: 'at most', path: [name, 'q'], value: renewals }),
    changes: [set([name, 'q'], renewals)],
  };
}

export function release({ model, place, fence }: HeldPermit): Update {
  const name = slotName(place);
  return {
    name: 'RELEASE',
    key: permitKey(model),
    condition: equals([name, 'fence'], fence),
    changes: [remove(name)],
  };
}
