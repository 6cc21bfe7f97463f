import { absent, all, type Condition, equals, remove, set, type Update } from '../table/fleet-table.ts';
import { attributesOf, type Counted, digestKey, type FleetState, type Probe } from './digest-entry.ts';

/*
 * Every step of a breaker of the fleet: one conditional write each. A condition names what makes the step right, and nothing that
 * follows from it: in one epoch a breaker only goes forward (OPEN, HALF_OPEN claim by claim, RAMP, CLOSED; a forced state has an
 * epoch to itself), so whoever saw CLOSED or RAMP in an epoch that still lasts need not name the state again, a count of claims
 * belongs to one claim of its epoch, and a probe's id to one moment of all.
 */

/** CLOSED, RAMP, or forced and past its time, becomes OPEN in a new epoch. @param next `epoch`: in which it was seen so */
export function trip(
  breaker: string,
  next: { readonly epoch: number; readonly now: number; readonly openMs: number; readonly openings: number },
): Update {
  const { epoch, now, openMs, openings } = next;
  return step('TRIP', {
    condition: isEpoch(breaker, epoch),
    changes: opens(breaker, { epoch: epoch + 1, now, openMs, openings }),
  });
}

/**
 * OPEN, or HALF_OPEN without a probe or with one that has outlived its lease, becomes HALF_OPEN with this probe. A claim that is
 * repeated is refused, and the item shows its probe: then it had succeeded.
 */
export function claim(
  breaker: string,
  state: FleetState & { kind: 'OPEN' | 'HALF_OPEN' },
  { probe, now }: { readonly probe: Probe; readonly now: number },
): Update {
  const { state: map } = attributesOf(breaker);
  return step('CLAIM', {
    condition: all(isEpoch(breaker, state.epoch), equals([map, 'pn'], state.claims)),
    changes: [
      set([map, 'st'], 'HALF'),
      set([map, 'at'], now),
      set([map, 'pn'], state.claims + 1),
      set([map, 'pr'], probe.id),
      set([map, 'po'], probe.owner),
      set([map, 'pl'], probe.leaseMs),
    ],
  });
}

/** What a probe's holder knows of it. */
export interface HeldProbe {
  readonly epoch: number;
  readonly id: string;
  /** Probes of this epoch that had succeeded before it. */
  readonly successes: number;
  /** Ms that the breaker was open before. */
  readonly openMs: number;
  readonly openings: Counted | undefined;
}

/** The probe succeeded: the next one may be claimed, or calls come back. */
export function settleSuccess(
  breaker: string,
  held: HeldProbe,
  { needed, now }: { readonly needed: number; readonly now: number },
): Update {
  const { state: map } = attributesOf(breaker);
  const successes = held.successes + 1;
  return step('SETTLE', {
    condition: isHeld(breaker, held.id),
    changes:
      successes < needed ? [set([map, 'ps'], successes), remove(map, 'pr')] : [set([map], { st: 'RAMP', at: now })],
  });
}

/** The probe failed: open again, in a new epoch. */
export function settleFailure(
  breaker: string,
  held: HeldProbe,
  next: { readonly now: number; readonly openMs: number; readonly openings: number },
): Update {
  return step('SETTLE', {
    condition: isHeld(breaker, held.id),
    changes: opens(breaker, { epoch: held.epoch + 1, ...next }),
  });
}

/** The probe said nothing: the next one may be claimed. */
export function abandon(breaker: string, { id }: Pick<HeldProbe, 'id'>): Update {
  return step('ABANDON', { condition: isHeld(breaker, id), changes: [remove(attributesOf(breaker).state, 'pr')] });
}

/** The ramp is over. @param state in which epoch it was seen so */
export function close(breaker: string, { epoch }: { readonly epoch: number }): Update {
  return step('CLOSE', { condition: isEpoch(breaker, epoch), changes: [remove(attributesOf(breaker).state)] });
}

export interface Force {
  readonly kind: 'FORCED_OPEN' | 'FORCED_CLOSED';
  /** Who, and why; for people. */
  readonly by: string;
  readonly why: string;
  /** Wall clock, ms since the epoch. */
  readonly until: number;
}

/** An operator's word, in a new epoch: it rules until then, or until it is released. */
export function force(
  breaker: string,
  { kind, by, why, until }: Force,
  { epoch, now }: { readonly epoch: number; readonly now: number },
): Update {
  const names = attributesOf(breaker);
  return step('FORCE', {
    condition: isEpoch(breaker, epoch),
    changes: [set([names.state], { st: kind, at: now, by, why, until }), set([names.epoch], epoch + 1)],
  });
}

/** Takes an operator's word back: CLOSED, in a new epoch. @param state in which epoch it was forced */
export function release(breaker: string, { epoch }: { readonly epoch: number }): Update {
  const names = attributesOf(breaker);
  return step('RELEASE', {
    condition: isEpoch(breaker, epoch),
    changes: [remove(names.state), set([names.epoch], epoch + 1)],
  });
}

function step(name: string, rest: Pick<Update, 'condition' | 'changes'>): Update {
  return { name, key: digestKey, ...rest };
}

/** Epochs begin at 0, which nobody writes. */
function isEpoch(breaker: string, epoch: number): Condition {
  const names = attributesOf(breaker);
  return epoch === 0 ? absent(names.epoch) : equals([names.epoch], epoch);
}

function isHeld(breaker: string, probe: string): Condition {
  return equals([attributesOf(breaker).state, 'pr'], probe);
}

function opens(
  breaker: string,
  next: { readonly epoch: number; readonly now: number; readonly openMs: number; readonly openings: number },
) {
  const names = attributesOf(breaker);
  const { epoch, now, openMs, openings } = next;
  return [
    set([names.epoch], epoch),
    set([names.state], { st: 'OPEN', om: openMs, at: now, pn: 0, ps: 0 }),
    set([names.openings], { n: openings, at: now }),
  ];
}
