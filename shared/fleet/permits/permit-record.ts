import type { Item, Key, Value } from '../table/fleet-table.ts';

/** One permit that somebody holds. */
export interface PermitSlot {
  /** The instance. */
  readonly owner: string;
  /** Of its attempts, the one that this is. */
  readonly attempt: string;
  readonly leaseMs: number;
  /** Renewals so far: who watches it sees that it is alive. */
  readonly renewals: number;
  /** Greater than that of every permit of this model before it. */
  readonly fence: number;
}

/** The permits of one model, as its item has them. */
export interface PermitRecord {
  /** How many there are, where an operator has set it. */
  readonly permits: number | undefined;
  /** The latest; undefined before the first. */
  readonly fence: number | undefined;
  /** Those that are held, by their place. */
  readonly slots: ReadonlyMap<number, PermitSlot>;
}

export function permitKey(model: string): Key {
  return { pk: `LOAD#${model}`, sk: 'PERMITS' };
}

/** The attribute of a place. */
export function slotName(place: number): string {
  return `s${place}`;
}

export function readPermits(item: Item | undefined): PermitRecord {
  const slots = new Map<number, PermitSlot>();
  for (const [name, value] of Object.entries(item ?? {})) {
    const place = /^s(\d+)$/.exec(name)?.[1];
    const slot = place === undefined ? undefined : readSlot(value);
    if (slot !== undefined) slots.set(Number(place), slot);
  }
  return { permits: numberIn(item?.['n']), fence: numberIn(item?.['f']), slots };
}

/** What this attempt has won, if it has. */
export function wonBy(
  { slots }: PermitRecord,
  owner: string,
  attempt: string,
): { readonly place: number; readonly fence: number } | undefined {
  for (const [place, slot] of slots) {
    if (slot.owner === owner && slot.attempt === attempt) return { place, fence: slot.fence };
  }
  return undefined;
}

/** What nobody can read belongs to nobody: the next write replaces it. */
function readSlot(value: Value): PermitSlot | undefined {
  if (typeof value !== 'object' || value instanceof Set) return undefined;
  const { o: owner, r: attempt, l: leaseMs, q: renewals, fence } = value as Readonly<Record<string, string | number>>;
  if (typeof owner !== 'string' || typeof attempt !== 'string') return undefined;
  if (typeof leaseMs !== 'number' || typeof renewals !== 'number' || typeof fence !== 'number') return undefined;
  return { owner, attempt, leaseMs, renewals, fence };
}

function numberIn(value: Value | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
