import type { Verdict } from '../../breaker/evidence.ts';
import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import type { Update } from '../table/fleet-table.ts';
import { type FleetState, readEntry } from './digest-entry.ts';
import { abandon, claim, type HeldProbe, settleFailure, settleSuccess } from './digest-steps.ts';
import { type FleetGround, takeStep } from './fleet-ground.ts';
import { drawOpenMs, openingsThatCount } from './fleet-rules.ts';

/** The right to make one call to what is open for the fleet; to be settled once. */
export class ProbeTicket {
  readonly held: HeldProbe;
  /** Elapsed ms: from then on others may take it over, so nothing is to be said of it any more. */
  readonly until: number;
  /** Ms for the call, so that it ends before the lease does. */
  readonly timeoutMs: number;

  constructor(held: HeldProbe, until: number, timeoutMs: number) {
    this.held = held;
    this.until = until;
    this.timeoutMs = timeoutMs;
  }
}

/** What a probe can be claimed from. */
export type Claimable = FleetState & { kind: 'OPEN' | 'HALF_OPEN' };

/** Part of a probe's lease that its call may take; the rest is for saying what came of it. */
const CALL_SHARE = 0.8;

/** Claims probes for one breaker, and tells the fleet what came of them. */
export class Prober {
  readonly #breaker: string;
  readonly #ground: FleetGround;
  readonly #settings: CircuitBreakerSettings;
  #isClaiming = false;
  /** A claim that got no answer: it may have succeeded. */
  #unclear: { readonly id: string; readonly sentAt: number } | undefined;
  /** What came of a probe, until the store has it or nobody wants it any more. */
  #unsettled: { readonly update: Update; readonly until: number } | undefined;
  #isSettling = false;

  constructor(breaker: string, ground: FleetGround, settings: CircuitBreakerSettings) {
    this.#breaker = breaker;
    this.#ground = ground;
    this.#settings = settings;
  }

  /** A claim is under way, or what came of the last probe is not told yet: there is no other now. */
  get isBusy(): boolean {
    return this.#isClaiming || this.#unsettled !== undefined;
  }

  /** Whether the probe that the fleet shows is this instance's own, from a claim whose answer was lost. */
  isMine(state: FleetState): boolean {
    return state.kind === 'HALF_OPEN' && state.probe !== undefined && state.probe.id === this.#unclear?.id;
  }

  /**
   * Looks at the store, and claims the probe if it is still free.
   * @param choose what to claim from, as the store showed it; undefined: there is nothing to claim
   * @param done a ticket, or none
   */
  claim(choose: () => Claimable | undefined, done: (ticket: ProbeTicket | undefined) => void): void {
    this.#isClaiming = true;
    const end = (ticket: ProbeTicket | undefined) => {
      this.#isClaiming = false;
      done(ticket);
    };
    const { digest } = this.#ground;
    digest.read((isRead) => {
      const state = isRead ? choose() : undefined;
      if (state === undefined) end(undefined);
      else if (this.isMine(state)) end(this.#resume(state));
      else this.#send(state, this.#ground.newId(), true, end);
    });
  }

  /** What came of a call on this ticket. */
  settle({ held, until }: ProbeTicket, verdict: Verdict, { isSlow }: { readonly isSlow: boolean }): void {
    const { clock, random } = this.#ground;
    const { halfOpenSuccesses, resetMs } = this.#settings;
    const now = clock.wall();
    let update: Update;
    if (verdict === 'neutral') update = abandon(this.#breaker, held);
    else if (verdict === 'success' && !isSlow) {
      update = settleSuccess(this.#breaker, held, { needed: halfOpenSuccesses, now });
    } else {
      const openings = Math.max(1, openingsThatCount(held.openings, now, resetMs)) + 1;
      update = settleFailure(this.#breaker, held, { now, openings, openMs: drawOpenMs(openings, resetMs, random()) });
    }
    this.#unsettled = { update, until };
    this.wake();
  }

  /** Tells again what the store did not hear. */
  wake(): void {
    if (this.#unsettled === undefined || this.#isSettling) return;
    const { update, until } = this.#unsettled;
    if (this.#ground.clock.elapsed() >= until) {
      // Somebody else has taken it over, or will.
      this.#unsettled = undefined;
      return;
    }
    this.#isSettling = true;
    takeStep(this.#ground, update, (answer) => {
      this.#isSettling = false;
      // Refused: it had been heard before, or the probe is another's by now.
      if (answer.kind !== 'unavailable') this.#unsettled = undefined;
    });
  }

  #send(state: Claimable, id: string, mayRepeat: boolean, done: (ticket: ProbeTicket | undefined) => void): void {
    const { clock, instance } = this.#ground;
    const { probeLeaseMs } = this.#settings;
    const sentAt = clock.elapsed();
    const probe = { id, owner: instance, leaseMs: probeLeaseMs };
    takeStep(this.#ground, claim(this.#breaker, state, { probe, now: clock.wall() }), (answer) => {
      if (answer.kind === 'unavailable') {
        // It counts from when it was sent: its lease may have begun then.
        if (!mayRepeat) {
          done(undefined);
          return;
        }
        this.#unclear = { id, sentAt };
        this.#send(state, id, false, done);
        return;
      }
      const shown = readEntry(answer.item, this.#breaker);
      // A repeated claim is refused by its own first success.
      const isMine = shown.state.kind === 'HALF_OPEN' && shown.state.probe?.id === id;
      const since = this.#unclear?.id === id ? this.#unclear.sentAt : sentAt;
      this.#unclear = undefined;
      done(isMine ? this.#ticketOf(shown.state, id, since) : undefined);
    });
  }

  /** The probe of a claim that nobody had answered. */
  #resume(state: FleetState): ProbeTicket | undefined {
    const unclear = this.#unclear;
    this.#unclear = undefined;
    // The last answer may be older than what is known: the state is not taken from it.
    return unclear === undefined ? undefined : this.#ticketOf(state, unclear.id, unclear.sentAt);
  }

  /** None when too little of its lease is left for a call. */
  #ticketOf(state: FleetState, id: string, sentAt: number): ProbeTicket | undefined {
    if (state.kind !== 'HALF_OPEN') return undefined;
    const { openings } = readEntry(this.#ground.digest.item, this.#breaker);
    const { epoch, successes, openMs } = state;
    const until = sentAt + this.#settings.probeLeaseMs;
    const leftMs = until - this.#ground.clock.elapsed();
    const timeoutMs = leftMs - (1 - CALL_SHARE) * this.#settings.probeLeaseMs;
    if (timeoutMs <= 0) return undefined;
    return new ProbeTicket({ epoch, id, successes, openMs, openings }, until, timeoutMs);
  }
}
