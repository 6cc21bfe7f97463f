import { Breaker } from '../../../../shared/breaker/breaker.ts';
import type { BreakerClock } from '../../../../shared/breaker/breaker-clock.ts';
import type { Verdict } from '../../../../shared/breaker/evidence.ts';
import type { CircuitBreakerSettings } from '../../../../shared/config/circuit-breaker.ts';
import { DigestView } from '../../../../shared/fleet/breaker/digest-view.ts';
import { FleetBreaker, type FleetTicket } from '../../../../shared/fleet/breaker/fleet-breaker.ts';
import { ProbeTicket } from '../../../../shared/fleet/breaker/prober.ts';
import type { FleetTable, Item } from '../../../../shared/fleet/table/fleet-table.ts';
import type { StepChecks } from './step-checks.ts';

export interface SmallInstanceOptions {
  readonly id: string;
  readonly breaker: string;
  readonly table: FleetTable;
  readonly clock: BreakerClock;
  readonly settings: CircuitBreakerSettings;
  readonly ttlMs: number;
  readonly checks: StepChecks;
  /** What it knows of the fleet to begin with. */
  readonly item: Item | undefined;
}

/** One instance, which serves one request at a time: the real breaker of the fleet, and what the explorer may make it do. */
export class SmallInstance {
  readonly id: string;
  readonly #options: SmallInstanceOptions;
  readonly #breaker: FleetBreaker;
  readonly #digest: DigestView;
  #ids = 0;
  #isAsking = false;
  #call: { readonly ticket: FleetTicket; readonly name: string } | undefined;
  /** What was known when a call asked to be let through: a ramp counts them. */
  readonly #asked = new Set<string>();
  /** Elapsed ms of the last failed call, with the epoch that it belongs to. */
  #failed = '';

  constructor(options: SmallInstanceOptions) {
    const { id, breaker, table, clock, settings, ttlMs, item } = options;
    this.id = id;
    this.#options = options;
    const random = () => 0.5;
    this.#digest = new DigestView({
      table,
      elapsed: () => clock.elapsed(),
      random,
      ttlMs,
      onItem: (learned) => this.#breaker.learn(learned),
    });
    const local = new Breaker({ name: breaker, settings, clock, onTransition: () => {} });
    const newId = () => `${id}-${++this.#ids}`;
    const ground = { instance: id, table, digest: this.#digest, clock, random, newId };
    this.#breaker = new FleetBreaker({ local, settings, ground, ttlMs, onTransition: () => {} });
    this.#digest.adopt(item, clock.elapsed());
  }

  get isIdle(): boolean {
    return this.#call === undefined && !this.#isAsking;
  }

  /** What may come of the call that is under way: all that makes a difference to the fleet. */
  get outcomes(): readonly Verdict[] {
    if (this.#call === undefined) return [];
    return this.#call.ticket instanceof ProbeTicket ? ['success', 'failure', 'neutral'] : ['failure', 'neutral'];
  }

  /** A request comes, which is a call, a probe, or refused. */
  begin(): void {
    const { checks, clock } = this.#options;
    const breaker = this.#breaker;
    this.#digest.wake();
    breaker.wake();
    if (breaker.refuses()) return;
    const ticket = breaker.admit();
    const known = `${breaker.fleetState} ${breaker.epoch}`;
    this.#asked.add(known);
    if (ticket !== undefined) {
      checks.admitted(breaker.fleetState);
      this.#call = { ticket, name: known };
      return;
    }
    if (!breaker.mayProbe()) return;
    this.#isAsking = true;
    breaker.probe((probe) => {
      this.#isAsking = false;
      if (probe === undefined) return;
      const name = probe instanceof ProbeTicket ? probe.held.id : 'no probe';
      if (probe instanceof ProbeTicket) checks.ticketGiven(name, clock.elapsed(), probe.until);
      this.#call = { ticket: probe, name };
    });
  }

  /** The call ends. */
  end(verdict: Verdict): void {
    if (this.#call === undefined) return;
    const { ticket, name } = this.#call;
    this.#call = undefined;
    if (ticket instanceof ProbeTicket) this.#options.checks.ticketUsed(name);
    else if (verdict === 'failure') this.#failed = `${name} ${this.#options.clock.elapsed()}`;
    this.#breaker.settle(ticket, verdict, 0);
  }

  /** All that what it does next can depend on, as far as it can be seen from here. */
  fingerprint(): string {
    const { fleetState, epoch } = this.#breaker;
    // A ramp lets the first through and the eleventh: no way here is so long.
    const asked = this.#asked.has(`RAMP ${epoch}`);
    const { state, nextProbeAt } = this.#breaker.report();
    const call = `${this.#isAsking} ${this.#call?.name}`;
    return `${call}|${fleetState} ${epoch} ${state} ${nextProbeAt}|${asked}|${this.#failed}`;
  }
}
