import { type FleetState, isNotOlder, readEntry } from '../../../../shared/fleet/breaker/digest-entry.ts';
import type { Written } from '../../../support/scheduled-store.ts';

/** Writes down whatever is wrong with what is done to one breaker, step by step. */
export class StepChecks {
  readonly wrong: string[] = [];
  readonly #breaker: string;
  /** The probe that was claimed last, and when, in ms. */
  #claimed: { readonly id: string; readonly at: number } | undefined;
  readonly #ended = new Set<string>();
  /** Of every ticket for a probe that somebody holds: until when it is valid. */
  readonly #tickets = new Map<string, number>();

  constructor(breaker: string) {
    this.#breaker = breaker;
  }

  /** A write was carried out. @param by the name of who sent it */
  written({ update, before, after }: Written, by: string, now: number): void {
    const from = readEntry(before, this.#breaker).state;
    const to = readEntry(after, this.#breaker).state;
    const { name } = update;
    const what = `${name} from ${from.kind} in epoch ${from.epoch} to ${to.kind} in epoch ${to.epoch}`;
    if (!isNotOlder(to, from) || !isAllowed(name, from, to)) this.wrong.push(what);
    if (name === 'CLAIM') this.#claim(from, to, now, what);
    if ((name === 'SETTLE' || name === 'ABANDON') && from.kind === 'HALF_OPEN') this.#end(from, by, what);
  }

  /** Somebody may call what is open. @param until in ms; then the ticket is worth nothing */
  ticketGiven(id: string, now: number, until: number): void {
    if (this.#tickets.has(id)) this.wrong.push(`two tickets for probe ${id}`);
    for (const [other, end] of this.#tickets) {
      if (end > now) this.wrong.push(`probes ${other} and ${id} at once`);
    }
    this.#tickets.set(id, until);
  }

  ticketUsed(id: string): void {
    this.#tickets.set(id, 0);
  }

  /** A call that is no probe was let through. @param known what the instance knew */
  admitted(known: FleetState['kind']): void {
    if (known === 'OPEN' || known === 'HALF_OPEN' || known === 'FORCED_OPEN') {
      this.wrong.push(`a call that is no probe went through, known to be ${known}`);
    }
  }

  #claim(from: FleetState, to: FleetState, now: number, what: string): void {
    if (to.kind !== 'HALF_OPEN' || to.probe === undefined) return;
    if (from.kind === 'OPEN' && now < from.at + from.openMs) this.wrong.push(`${what}: too early`);
    const isTakeover = from.kind === 'HALF_OPEN' && from.probe !== undefined && from.probe.id === this.#claimed?.id;
    if (isTakeover && now < (this.#claimed?.at ?? 0) + (from.probe?.leaseMs ?? 0)) {
      this.wrong.push(`${what}: the lease of ${this.#claimed?.id} has not ended`);
    }
    this.#claimed = { id: to.probe.id, at: now };
  }

  #end({ probe }: FleetState & { kind: 'HALF_OPEN' }, by: string, what: string): void {
    if (probe === undefined) return;
    if (probe.owner !== by) this.wrong.push(`${what}, by ${by}: the probe is of ${probe.owner}`);
    if (this.#ended.has(probe.id)) this.wrong.push(`${what}: probe ${probe.id} has ended before`);
    this.#ended.add(probe.id);
  }
}

function isAllowed(name: string, from: FleetState, to: FleetState): boolean {
  switch (name) {
    case 'TRIP':
      return (from.kind === 'CLOSED' || from.kind === 'RAMP') && isNext(from, to);
    case 'CLAIM':
      return (from.kind === 'OPEN' || from.kind === 'HALF_OPEN') && from.epoch === to.epoch;
    case 'SETTLE':
    case 'ABANDON':
      return from.kind === 'HALF_OPEN' && from.probe !== undefined;
    case 'CLOSE':
      return from.kind === 'RAMP' || from.kind === 'CLOSED';
    case 'FORCE':
      return isNext(from, to);
    case 'RELEASE':
      return (from.kind === 'FORCED_OPEN' || from.kind === 'FORCED_CLOSED') && isNext(from, to);
    default:
      return true;
  }
}

function isNext(from: FleetState, to: FleetState): boolean {
  return to.epoch === from.epoch + 1;
}
