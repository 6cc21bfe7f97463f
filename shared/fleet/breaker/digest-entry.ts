import type { Item, Key, Value } from '../table/fleet-table.ts';

/** The one item that all breakers of the fleet share; see docs/fleet.md. */
export const digestKey: Key = { pk: 'BREAKER', sk: 'DIGEST' };

/** Someone's exclusive right to call what is open, and to say what came of it. */
export interface Probe {
  /** Unique to this claim. */
  readonly id: string;
  /** The instance's id. */
  readonly owner: string;
  /** Ms after which others take over, if it has not changed for so long. */
  readonly leaseMs: number;
}

/** What a breaker of the fleet is in, with the epoch that this belongs to. Times are wall clock ms of whoever wrote them. */
export type FleetState =
  | { readonly kind: 'CLOSED'; readonly epoch: number }
  | {
      readonly kind: 'OPEN';
      readonly epoch: number;
      readonly at: number;
      /** Ms before the first probe. */
      readonly openMs: number;
      /** Probes that were claimed in this epoch. */
      readonly claims: number;
    }
  | {
      readonly kind: 'HALF_OPEN';
      readonly epoch: number;
      readonly at: number;
      readonly openMs: number;
      readonly claims: number;
      /** Probes that succeeded in this epoch. */
      readonly successes: number;
      /** None: the next claim is free. */
      readonly probe: Probe | undefined;
    }
  | { readonly kind: 'RAMP'; readonly epoch: number; readonly at: number }
  | {
      readonly kind: 'FORCED_OPEN' | 'FORCED_CLOSED';
      readonly epoch: number;
      readonly at: number;
      readonly by: string;
      readonly why: string;
      /** From then on it is as if nobody had forced it. */
      readonly until: number;
    };

/** A number with the wall clock ms at which it was true. */
export interface Counted {
  readonly count: number;
  readonly at: number;
}

/** All that the digest says of one breaker. */
export interface DigestEntry {
  readonly state: FleetState;
  /** Openings in a row, and the last of them. */
  readonly openings: Counted | undefined;
  /** Instances that called it lately, as the monitor counted. */
  readonly active: Counted | undefined;
}

/** Names of a breaker's attributes in the digest. */
export function attributesOf(breaker: string) {
  return {
    epoch: `e_${breaker}`,
    state: `b_${breaker}`,
    openings: `k_${breaker}`,
    active: `active_${breaker}`,
  } as const;
}

/** Every breaker that the digest knows of. */
export function breakersIn(item: Item | undefined): readonly string[] {
  const names = Object.keys(item ?? {}).flatMap((attribute) => /^(?:e|active)_(.+)$/s.exec(attribute)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** What the digest says of one breaker; one that it does not know is CLOSED, in epoch 0. */
export function readEntry(item: Item | undefined, breaker: string): DigestEntry {
  const names = attributesOf(breaker);
  const epoch = numberOf(item?.[names.epoch]);
  return {
    state: readState(mapOf(item?.[names.state]), epoch),
    openings: readCounted(mapOf(item?.[names.openings])),
    active: readCounted(mapOf(item?.[names.active])),
  };
}

/** How often wishes and active versions were changed: a change of it says that there is something to read. */
export function wishCount(item: Item | undefined): number {
  return numberOf(item?.['wish']);
}

/**
 * Whether what was read is at least as new as what is known: an eventually consistent read, or a late answer, may be the
 * older. In one epoch a breaker goes from OPEN over HALF_OPEN, claim by claim, and RAMP to CLOSED.
 */
export function isNotOlder(read: FleetState, known: FleetState): boolean {
  if (read.epoch !== known.epoch) return read.epoch > known.epoch;
  const readRank = ranks[read.kind];
  const knownRank = ranks[known.kind];
  if (readRank !== knownRank) return readRank > knownRank;
  if (read.kind !== 'HALF_OPEN' || known.kind !== 'HALF_OPEN') return true;
  if (read.claims !== known.claims) return read.claims > known.claims;
  return read.probe === undefined || known.probe !== undefined;
}

/** Forced states have an epoch to themselves. */
const ranks: Readonly<Record<FleetState['kind'], number>> = {
  OPEN: 0,
  HALF_OPEN: 1,
  RAMP: 2,
  CLOSED: 3,
  FORCED_OPEN: 0,
  FORCED_CLOSED: 0,
};

/** What an operator has said. */
export type ForcedState = FleetState & { readonly kind: 'FORCED_OPEN' | 'FORCED_CLOSED' };

/** Whether an operator has forced it, whether or not that still rules. */
export function isForced(state: FleetState): state is ForcedState {
  return state.kind === 'FORCED_OPEN' || state.kind === 'FORCED_CLOSED';
}

/** Whether an operator's word rules at this moment. */
export function isInForce(state: FleetState, wall: number): state is ForcedState {
  return isForced(state) && wall < state.until;
}

type StoredMap = Readonly<Record<string, string | number>>;

function readState(map: StoredMap | undefined, epoch: number): FleetState {
  if (map === undefined) return { kind: 'CLOSED', epoch };
  const number = (member: string) => numberOf(map[member]);
  const text = (member: string) => String(map[member] ?? '');
  const at = number('at');
  switch (map['st']) {
    case 'OPEN':
      return { kind: 'OPEN', epoch, at, openMs: number('om'), claims: number('pn') };
    case 'HALF':
      return {
        kind: 'HALF_OPEN',
        epoch,
        at,
        openMs: number('om'),
        claims: number('pn'),
        successes: number('ps'),
        probe: map['pr'] === undefined ? undefined : { id: text('pr'), owner: text('po'), leaseMs: number('pl') },
      };
    case 'RAMP':
      return { kind: 'RAMP', epoch, at };
    case 'FORCED_OPEN':
    case 'FORCED_CLOSED':
      return { kind: map['st'], epoch, at, by: text('by'), why: text('why'), until: number('until') };
    default:
      // A later version's word for a state: what it means here is to let the local breaker decide.
      return { kind: 'CLOSED', epoch };
  }
}

function readCounted(map: StoredMap | undefined): Counted | undefined {
  return map === undefined ? undefined : { count: numberOf(map['n']), at: numberOf(map['at']) };
}

function numberOf(value: Value | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function mapOf(value: Value | undefined): StoredMap | undefined {
  return typeof value === 'object' && !(value instanceof Set) ? (value as StoredMap) : undefined;
}
