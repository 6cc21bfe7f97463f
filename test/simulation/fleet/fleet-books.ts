import { digestKey, type FleetState, isNotOlder, readEntry } from '../../../shared/fleet/breaker/digest-entry.ts';
import type { FleetTicket } from '../../../shared/fleet/breaker/fleet-breaker.ts';
import { ProbeTicket } from '../../../shared/fleet/breaker/prober.ts';
import type { FleetPlan } from './fleet-plan.ts';
import {
  type InstanceObserver,
  MODEL_BREAKER,
  type ModelCall,
  TTL_MS,
  type VirtualInstance,
} from './virtual-instance.ts';
import { type Applied, BUDGET_MS, STALE_MS } from './virtual-store.ts';
import type { VirtualTime } from './virtual-time.ts';

/** After a bad call a vote counts for 30 s, and may be under way for some seconds more. */
const VOTE_AGE_MS = 30_000 + 5_000 + 3_000 + 2_000;

/** What is known of one epoch in which the breaker is, or was, open. */
interface OpenPeriod {
  claims: number;
  takeovers: number;
  abandons: number;
  readonly tickets: Set<string>;
}

/** Knows the truth, and writes down whatever is not as it must be. */
export class FleetBooks implements InstanceObserver {
  readonly wrong: string[] = [];
  /** How often what happened, for whoever wonders whether the histories had enough of it. */
  readonly seen = new Map<string, number>();
  /** The digest's, as it is in the store. */
  state: FleetState = { kind: 'CLOSED', epoch: 0 };
  firstTripAt: number | undefined;
  trips = 0;
  readonly #time: VirtualTime;
  readonly #plan: FleetPlan;
  #badAt = Number.NEGATIVE_INFINITY;
  #claimedAt = 0;
  /** True time at which each epoch began. */
  readonly #begun = new Map<number, number>([[0, 0]]);
  readonly #periods = new Map<number, OpenPeriod>();
  readonly #settled = new Set<string>();

  constructor(time: VirtualTime, plan: FleetPlan) {
    this.#time = time;
    this.#plan = plan;
  }

  fail(what: string): void {
    this.wrong.push(`${what} (at ${Math.round(this.#time.now())} ms)`);
  }

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  // What the store carried out.

  applied({ update, by, before, after }: Applied): void {
    this.note(update.name);
    if (this.#plan.story === 'healthy' && by !== 'nobody') this.fail(`a healthy fleet wrote ${update.name}`);
    if (update.key.pk !== digestKey.pk || update.name === 'COUNT') return;
    const from = readEntry(before, MODEL_BREAKER).state;
    const to = readEntry(after, MODEL_BREAKER).state;
    this.state = to;
    if (!isNotOlder(to, from)) this.fail(`${update.name} took the breaker back from ${told(from)} to ${told(to)}`);
    if (to.epoch !== from.epoch) this.#begun.set(to.epoch, this.#time.now());
    switch (update.name) {
      case 'TRIP':
        this.#tripped(from);
        break;
      case 'CLAIM':
        this.#claimed(from);
        break;
      case 'SETTLE':
      case 'ABANDON':
        this.#ended(update.name, by, from, to);
        break;
      case 'CLOSE':
        if (from.kind !== 'RAMP' && from.kind !== 'CLOSED') this.fail(`CLOSE of what was ${told(from)}`);
        break;
      case 'RELEASE':
        if (from.kind !== 'FORCED_OPEN' && from.kind !== 'FORCED_CLOSED')
          this.fail(`RELEASE of what was ${told(from)}`);
        this.#expectNewEpoch('RELEASE', from, to);
        break;
      case 'FORCE':
        this.#expectNewEpoch('FORCE', from, to);
        break;
      default:
        break;
    }
  }

  #expectNewEpoch(name: string, from: FleetState, to: FleetState): void {
    if (to.epoch !== from.epoch + 1) this.fail(`${name} went from epoch ${from.epoch} to ${to.epoch}`);
  }

  // What instances did.

  admitted(instance: VirtualInstance, ticket: FleetTicket): void {
    if (ticket instanceof ProbeTicket) {
      const period = this.#period(ticket.held.epoch);
      if (period.tickets.has(ticket.held.id)) this.fail('one claim gave two tickets');
      period.tickets.add(ticket.held.id);
      this.note('probe');
      return;
    }
    const known = instance.breaker.fleetState;
    if (known === 'OPEN' || known === 'HALF_OPEN') {
      if (instance.isBlind) this.note('blind try');
      else this.fail(`a call that is no probe was let through though it knew ${known}`);
    }
    this.#expectNews(instance);
  }

  settled(
    _instance: VirtualInstance,
    call: ModelCall,
    { isLate, isCounted }: { readonly isLate: boolean; readonly isCounted: boolean },
  ): void {
    if (call.verdict === 'failure' || call.tookMs >= this.#plan.settings.slowCallMs) this.#badAt = this.#time.now();
    if (!isLate) return;
    this.note('late result');
    if (isCounted) this.fail('a result of an old epoch changed something');
  }

  refused(_instance: VirtualInstance, retryAfterSeconds = 1): void {
    this.note('refused');
    if (!(retryAfterSeconds >= 1)) this.fail(`a refusal told to come back after ${retryAfterSeconds} s`);
  }

  waited(_instance: VirtualInstance, ms: number, isProbe: boolean): void {
    const most = isProbe ? 3 * BUDGET_MS : 25;
    if (ms > most + 0.001) this.fail(`a request waited ${ms} ms for the store`);
  }

  /** What is open for the fleet is known wherever a look at the store succeeds, after two times to live at most. */
  #expectNews(instance: VirtualInstance): void {
    if (!this.#plan.isClean) return;
    const missed = this.#begun.get(instance.breaker.epoch + 1);
    const late = missed === undefined ? 0 : this.#time.now() - missed;
    if (late > 2 * TTL_MS + STALE_MS)
      this.fail(`a call went through ${Math.round(late)} ms after the fleet had tripped`);
  }

  #tripped(from: FleetState): void {
    this.firstTripAt ??= this.#time.now();
    this.trips += 1;
    const isExpired = (from.kind === 'FORCED_OPEN' || from.kind === 'FORCED_CLOSED') && this.#plan.story === 'forced';
    if (from.kind !== 'CLOSED' && from.kind !== 'RAMP' && !isExpired) this.fail(`TRIP of what was ${told(from)}`);
    if (from.kind === 'RAMP') this.note('trip in the ramp');
    if (this.#plan.bad !== undefined)
      this.fail(`${this.#plan.bad} of ${this.#plan.instances} instances tripped the fleet`);
    const age = this.#time.now() - this.#badAt;
    if (this.#plan.jumps === 0 && age > VOTE_AGE_MS) this.fail(`tripped ${Math.round(age)} ms after the last bad call`);
  }

  #claimed(from: FleetState): void {
    const period = this.#period(from.epoch);
    period.claims += 1;
    if (from.kind === 'HALF_OPEN' && from.probe !== undefined) {
      period.takeovers += 1;
      this.note('takeover');
      const age = this.#time.now() - this.#claimedAt;
      if (this.#plan.jumps === 0 && age < from.probe.leaseMs) this.fail(`a probe was taken over after ${age} ms`);
    }
    this.#claimedAt = this.#time.now();
    const { claims, takeovers, abandons } = period;
    const most = this.#plan.settings.halfOpenSuccesses + takeovers + abandons;
    if (claims > most) this.fail(`${claims} probes in one open period, ${takeovers} of them takeovers`);
    if (from.kind !== 'OPEN' && from.kind !== 'HALF_OPEN') this.fail(`CLAIM of what was ${told(from)}`);
  }

  #ended(name: 'SETTLE' | 'ABANDON', by: string, from: FleetState, to: FleetState): void {
    if (from.kind !== 'HALF_OPEN' || from.probe === undefined) {
      this.fail(`${name} of what was ${told(from)}`);
      return;
    }
    const { id, owner } = from.probe;
    if (by !== owner) this.fail(`${name} by ${by} of the probe of ${owner}`);
    if (this.#settled.has(id)) this.fail(`two of ${name} for one probe`);
    this.#settled.add(id);
    if (name === 'ABANDON') this.#period(from.epoch).abandons += 1;
    else this.note(to.kind === 'OPEN' ? 'probe failed' : 'probe succeeded');
  }

  #period(epoch: number): OpenPeriod {
    let period = this.#periods.get(epoch);
    if (period === undefined) {
      period = { claims: 0, takeovers: 0, abandons: 0, tickets: new Set() };
      this.#periods.set(epoch, period);
    }
    return period;
  }
}

function told({ kind, epoch }: FleetState): string {
  return `${kind} in epoch ${epoch}`;
}
