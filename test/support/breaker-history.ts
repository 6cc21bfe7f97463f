import { expect } from 'vitest';
import { Breaker, type Ticket } from '../../shared/breaker/breaker.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import { type BreakerTransition, transitions } from '../../shared/breaker/breaker-state.ts';
import type { Verdict } from '../../shared/breaker/evidence.ts';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';

/** What may happen; `call` picks one of those under way. */
export type BreakerEvent =
  | { readonly type: 'admit' }
  | { readonly type: 'settle'; readonly call: number; readonly verdict: Verdict; readonly tookMs: number }
  | { readonly type: 'vanish'; readonly call: number }
  | { readonly type: 'look' }
  /** Time passes, awake, frozen, or because the clock was set forward. */
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'set back'; readonly ms: number };

interface Call {
  readonly ticket: Ticket;
  /** Trips and recoveries before it was admitted. */
  readonly turn: number;
  readonly isProbe: boolean;
}

/** A breaker with books of its own about what must hold after every event. */
export class BreakerHistory {
  readonly breaker: Breaker;
  readonly #settings: CircuitBreakerSettings;
  readonly #calls: Call[] = [];
  #steps: BreakerTransition[] = [];
  #wallMs = 1_000_000;
  /** Wall clock at the first look since it was set back last; what lies before may have been lost. */
  #steadySince = this.#wallMs;
  #hasLooked = true;
  /** All time that has passed, whatever the clock says. */
  #passedMs = 0;
  #turn = 0;
  #openedAt: { readonly passedMs: number; readonly wallMs: number } | undefined;
  #probe: { readonly call: Call; readonly passedMs: number; readonly wallMs: number } | undefined;
  #failuresInARow = 0;
  /** Every step that was taken, e.g. `CLOSED>OPEN`. */
  readonly seen = new Set<string>();

  constructor(name: string, settings: CircuitBreakerSettings) {
    this.#settings = settings;
    this.breaker = new Breaker({
      name,
      settings,
      clock: createBreakerClock(() => this.#wallMs),
      onTransition: (step) => this.#steps.push(step),
    });
  }

  play(event: BreakerEvent): void {
    switch (event.type) {
      case 'admit':
        this.#admit();
        return;
      case 'settle':
        this.#settle(event.call, event.verdict, event.tookMs);
        return;
      case 'vanish':
        this.#calls.splice(event.call % (this.#calls.length || 1), 1);
        return;
      case 'look':
        this.#look();
        return;
      case 'pass':
        this.#wallMs += event.ms;
        this.#passedMs += event.ms;
        return;
      case 'set back':
        this.#wallMs -= event.ms;
        this.#hasLooked = false;
    }
  }

  /** However its history was: time, calls and good answers bring it back. */
  expectRecovery(): void {
    const { resetMs, probeLeaseMs, halfOpenSuccesses, rampMs } = this.#settings;
    this.#calls.length = 0;
    this.#look();
    this.play({ type: 'pass', ms: Math.max(resetMs, probeLeaseMs) });
    for (let probe = 0; probe < halfOpenSuccesses; probe++) {
      this.#admit();
      this.#settle(0, 'success', 0);
    }
    this.play({ type: 'pass', ms: rampMs });
    expect(this.#look().state).toBe('CLOSED');
  }

  #admit(): void {
    const before = this.#look();
    const mayWait = this.#mustWait(before.state);
    const mustGo = this.#mustGo(before.state);
    const refuses = this.breaker.refuses();
    const ticket = this.breaker.admit();
    this.#read();
    if (before.state !== 'RAMP') expect(refuses).toBe(ticket === undefined);
    if (ticket === undefined) {
      expect(mustGo, `refused though it should be tried, ${before.state}`).toBe(false);
      expect(this.breaker.report()).toEqual(before);
      const { retryAfterSeconds = 0 } = this.breaker.refusal();
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(retryAfterSeconds * 1000).toBeLessThan(Math.max(this.#settings.resetMs, this.#settings.rampMs) + 1000);
      return;
    }
    expect(mayWait, `admitted though it should wait, ${before.state}`).toBe(false);
    const isProbe = this.breaker.report().state === 'HALF_OPEN';
    const call = { ticket, turn: this.#turn, isProbe };
    this.#calls.push(call);
    if (isProbe) this.#probe = { call, passedMs: this.#passedMs, wallMs: this.#wallMs };
  }

  #settle(index: number, verdict: Verdict, tookMs: number): void {
    const [call] = this.#calls.splice(index % (this.#calls.length || 1), 1);
    if (call === undefined) return;
    const before = this.#look();
    const isValid =
      before.state === 'HALF_OPEN' ? this.#probe?.call === call : !call.isProbe && call.turn === this.#turn;
    this.breaker.settle(call.ticket, verdict, tookMs);
    const isBad = verdict === 'failure' || (this.#settings.rule === 'rate' && tookMs >= this.#settings.slowCallMs);
    if (!isValid || verdict === 'neutral') expect(this.#steps, 'what counts nothing took a step').toEqual([]);
    if (!isBad) expect(this.#steps.map(({ to }) => to)).not.toContain('OPEN');
    if (!isValid) expect({ ...this.breaker.report(), nextProbeAt: 0 }).toEqual({ ...before, nextProbeAt: 0 });
    if (isValid && before.state === 'HALF_OPEN') {
      this.#probe = undefined;
      if (isBad && verdict !== 'neutral') expect(this.breaker.report().state).toBe('OPEN');
    } else if (isValid && this.#settings.rule === 'consecutive' && verdict !== 'neutral') {
      this.#failuresInARow = verdict === 'failure' ? this.#failuresInARow + 1 : 0;
      const isTooMany = this.#failuresInARow >= this.#settings.failureThreshold;
      expect(this.breaker.report().state === 'OPEN').toBe(isTooMany);
      if (!isTooMany) expect(this.breaker.report().failures).toBe(this.#failuresInARow);
    }
    this.#read();
  }

  /** Too early for any call: reset_timeout is not over by any clock, or a probe is out. */
  #mustWait(state: string): boolean {
    const { resetMs, probeLeaseMs } = this.#settings;
    if (state === 'OPEN') return this.#passedMs < (this.#openedAt?.passedMs ?? 0) + resetMs;
    return state === 'HALF_OPEN' && this.#probe !== undefined && this.#passedMs < this.#probe.passedMs + probeLeaseMs;
  }

  /** A call may not be refused: nothing is wrong, or the time is over by a clock that was not set back meanwhile. */
  #mustGo(state: string): boolean {
    const { resetMs, probeLeaseMs } = this.#settings;
    const since = (at: number | undefined) => this.#wallMs - Math.max(at ?? 0, this.#steadySince);
    switch (state) {
      case 'CLOSED':
        return true;
      case 'OPEN':
        return since(this.#openedAt?.wallMs) >= resetMs;
      case 'HALF_OPEN':
        return this.#probe === undefined || since(this.#probe.wallMs) >= probeLeaseMs;
      default:
        return false;
    }
  }

  #look() {
    const report = this.breaker.report();
    if (!this.#hasLooked) this.#steadySince = this.#wallMs;
    this.#hasLooked = true;
    this.#read();
    return report;
  }

  /** Takes the steps into the books. */
  #read(): void {
    for (const { from, to } of this.#steps) {
      expect(transitions[from]).toContain(to);
      this.seen.add(`${from}>${to}`);
      // The ramp goes on into CLOSED with all that it has.
      if (from === 'RAMP' && to === 'CLOSED') continue;
      if (to !== 'HALF_OPEN') this.#turn += 1;
      this.#failuresInARow = 0;
      this.#probe = undefined;
      this.#openedAt = to === 'OPEN' ? { passedMs: this.#passedMs, wallMs: this.#wallMs } : undefined;
    }
    this.#steps = [];
  }
}
