import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import type { BreakerClock } from './breaker-clock.ts';
import type { BreakerReport, BreakerTransition } from './breaker-state.ts';
import { BreakerOpenError } from './errors.ts';
import { Evidence, type Verdict } from './evidence.ts';
import { Ramp } from './ramp.ts';

/**
 * What an admitted call holds until it settles: the generation that it belongs to. All calls of one generation share one
 * ticket, a probe has its own; tickets are told apart by identity.
 */
export interface Ticket {
  readonly generation: number;
}

export interface BreakerOptions {
  /** What it stands before, for people. */
  readonly name: string;
  /** The model concerned, `id@version`. */
  readonly model?: string;
  readonly settings: CircuitBreakerSettings;
  readonly clock: BreakerClock;
  /** Told after every step; must not throw. */
  readonly onTransition: (transition: BreakerTransition) => void;
}

/** Times are elapsed ms. */
type State =
  | { readonly kind: 'CLOSED'; readonly ticket: Ticket; readonly evidence: Evidence }
  | { readonly kind: 'OPEN'; readonly until: number; readonly failures: number }
  | { readonly kind: 'HALF_OPEN'; readonly failures: number; successes: number; probe: Probe | undefined }
  | { readonly kind: 'RAMP'; readonly ticket: Ticket; readonly evidence: Evidence; readonly ramp: Ramp };

interface Probe {
  readonly ticket: Ticket;
  readonly until: number;
}

/** While a probe is out, others are told to come back so soon: it may end at any moment. */
const WAIT_FOR_PROBE_MS = 1_000;

/**
 * Stops calls to what fails, and finds out when it no longer does. It has no timers: what is due by the clock happens when
 * somebody asks, so a freeze anywhere does no harm. Every admission is a ticket, and what comes back on a ticket that is no
 * longer valid changes nothing.
 */
export class Breaker {
  readonly name: string;
  /** Whether it matters how long a call that succeeded took. */
  readonly judgesTime: boolean;
  readonly #model: string | undefined;
  readonly #settings: CircuitBreakerSettings;
  readonly #clock: BreakerClock;
  readonly #onTransition: BreakerOptions['onTransition'];
  #generation = 0;
  #state: State;
  #since: number;
  #refusal: BreakerOpenError | undefined;
  #wasAsked = false;

  constructor({ name, model, settings, clock, onTransition }: BreakerOptions) {
    this.name = name;
    this.judgesTime = settings.rule === 'rate';
    this.#model = model;
    this.#settings = settings;
    this.#clock = clock;
    this.#onTransition = onTransition;
    this.#state = { kind: 'CLOSED', ticket: this.#newTicket(), evidence: new Evidence(settings, clock) };
    this.#since = clock.wall();
  }

  /** A ticket for one call, to be settled once; undefined: the call must not be made. */
  admit(): Ticket | undefined {
    this.#wasAsked = true;
    const state = this.#state;
    // The healthy way asks for no time and makes nothing.
    if (state.kind === 'CLOSED') return state.ticket;
    const now = this.#clock.elapsed();
    switch (state.kind) {
      case 'OPEN':
        return now < state.until ? undefined : this.#probe(this.#halfOpen(state.failures), now);
      case 'HALF_OPEN':
        return isOut(state.probe, now) ? undefined : this.#probe(state, now);
      case 'RAMP':
        if (state.ramp.isOver(now)) return this.#closeAfterRamp(state);
        return state.ramp.admits(now) ? state.ticket : undefined;
    }
  }

  /** Whether `admit` would refuse at this moment, for who has to wait for something else first; a ramp may still refuse. */
  refuses(): boolean {
    this.#wasAsked = true;
    const state = this.#state;
    switch (state.kind) {
      case 'CLOSED':
      case 'RAMP':
        return false;
      case 'OPEN':
        return this.#clock.elapsed() < state.until;
      case 'HALF_OPEN':
        return isOut(state.probe, this.#clock.elapsed());
    }
  }

  /** What came of an admitted call, and the ms that it took. @returns whether it counts: its ticket was still valid */
  settle(ticket: Ticket, verdict: Verdict, tookMs: number): boolean {
    const state = this.#state;
    const isSlow = tookMs >= this.#settings.slowCallMs;
    switch (state.kind) {
      case 'OPEN':
        return false;
      case 'HALF_OPEN':
        if (state.probe?.ticket !== ticket) return false;
        this.#settleProbe(state, verdict, isSlow);
        return true;
      case 'CLOSED':
      case 'RAMP': {
        if (state.ticket !== ticket) return false;
        if (verdict === 'neutral') return true;
        const { evidence } = state;
        const reason = evidence.add(verdict === 'failure', isSlow);
        if (reason !== undefined) this.#open(evidence.failures(), reason);
        return true;
      }
    }
  }

  /**
   * Begins anew, CLOSED: what it knew, and whatever is under way, counts no more. For whoever knows better than this instance's
   * own calls, and tells of it.
   */
  reset(): void {
    this.#state = { kind: 'CLOSED', ticket: this.#newTicket(), evidence: new Evidence(this.#settings, this.#clock) };
    this.#since = this.#clock.wall();
  }

  /**
   * What whoever is refused at this moment is told. All of one second are told by one object: making an error, with its
   * stack, costs more than all else here.
   */
  refusal(): BreakerOpenError {
    const state = this.#state.kind;
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#retryAfterMs() / 1000));
    const last = this.#refusal;
    if (last?.retryAfterSeconds === retryAfterSeconds && last.state === state) return last;
    const refusal = new BreakerOpenError(`the circuit breaker of ${this.name} is ${state}`, {
      ...(this.#model === undefined ? {} : { model: this.#model }),
      state,
      retryAfterSeconds,
    });
    this.#refusal = refusal;
    return refusal;
  }

  /** Somebody wants to call what it stands before, and another answers in its place. */
  asked(): void {
    this.#wasAsked = true;
  }

  /** Whether anybody wanted to since the last call of this. */
  takeAsked(): boolean {
    const wasAsked = this.#wasAsked;
    this.#wasAsked = false;
    return wasAsked;
  }

  /** Whether it refuses everything at this moment, or would let a probe through. */
  isOpen(): boolean {
    return this.#state.kind === 'OPEN';
  }

  /** Ms that have passed; never goes back. */
  elapsed(): number {
    return this.#clock.elapsed();
  }

  report(): BreakerReport {
    const now = this.#clock.elapsed();
    if (this.#state.kind === 'RAMP' && this.#state.ramp.isOver(now)) this.#closeAfterRamp(this.#state);
    const state = this.#state;
    const common = { name: this.name, state: state.kind, since: this.#since };
    switch (state.kind) {
      case 'CLOSED':
      case 'RAMP':
        return { ...common, failures: state.evidence.failures() };
      case 'OPEN':
        return { ...common, failures: state.failures, nextProbeAt: this.#clock.wall() + state.until - now };
      case 'HALF_OPEN': {
        const waitMs = isOut(state.probe, now) ? state.probe.until - now : 0;
        return { ...common, failures: state.failures, nextProbeAt: this.#clock.wall() + waitMs };
      }
    }
  }

  /** Until a call that was refused just now is worth another try. */
  #retryAfterMs(): number {
    const state = this.#state;
    const now = this.#clock.elapsed();
    switch (state.kind) {
      case 'CLOSED':
        return 0;
      case 'OPEN':
        return state.until - now;
      case 'HALF_OPEN':
        return isOut(state.probe, now) ? Math.min(WAIT_FOR_PROBE_MS, state.probe.until - now) : 0;
      case 'RAMP':
        return state.ramp.nextStepMs(now);
    }
  }

  #settleProbe(state: State & { kind: 'HALF_OPEN' }, verdict: Verdict, isSlow: boolean): void {
    const { halfOpenSuccesses, rampMs } = this.#settings;
    // Whoever asks next is the probe.
    state.probe = undefined;
    if (verdict === 'neutral') return;
    if (verdict === 'failure' || (isSlow && this.judgesTime)) {
      this.#open(state.failures, verdict === 'failure' ? 'the probe failed' : 'the probe was slow');
      return;
    }
    state.successes += 1;
    if (state.successes < halfOpenSuccesses) return;
    const fresh = { ticket: this.#newTicket(), evidence: new Evidence(this.#settings, this.#clock) };
    const reason = state.successes === 1 ? 'the probe succeeded' : `${state.successes} probes succeeded`;
    if (rampMs === 0) this.#enter({ kind: 'CLOSED', ...fresh }, reason);
    else this.#enter({ kind: 'RAMP', ...fresh, ramp: new Ramp(this.#clock.elapsed(), rampMs) }, reason);
  }

  #open(failures: number, reason: string): void {
    this.#enter({ kind: 'OPEN', until: this.#clock.elapsed() + this.#settings.resetMs, failures }, reason);
  }

  #halfOpen(failures: number): State & { kind: 'HALF_OPEN' } {
    const state = { kind: 'HALF_OPEN' as const, failures, successes: 0, probe: undefined };
    this.#enter(state, 'it was open for long enough');
    return state;
  }

  #probe(state: State & { kind: 'HALF_OPEN' }, now: number): Ticket {
    const ticket = this.#newTicket();
    state.probe = { ticket, until: now + this.#settings.probeLeaseMs };
    return ticket;
  }

  /** Calls under way and what was counted go on. */
  #closeAfterRamp({ ticket, evidence }: State & { kind: 'RAMP' }): Ticket {
    this.#enter({ kind: 'CLOSED', ticket, evidence }, 'all calls went through again');
    return ticket;
  }

  #newTicket(): Ticket {
    this.#generation += 1;
    return { generation: this.#generation };
  }

  #enter(state: State, reason: string): void {
    const from = this.#state.kind;
    this.#state = state;
    this.#since = this.#clock.wall();
    this.#onTransition({ breaker: this.name, from, to: state.kind, reason });
  }
}

/** Whether a probe is under way whose lease has not ended. */
function isOut(probe: Probe | undefined, now: number): probe is Probe {
  return probe !== undefined && now < probe.until;
}
