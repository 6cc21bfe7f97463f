import type { Breaker, Ticket } from '../../breaker/breaker.ts';
import type { BreakerReport, BreakerTransition } from '../../breaker/breaker-state.ts';
import type { BreakerOpenError } from '../../breaker/errors.ts';
import type { Verdict } from '../../breaker/evidence.ts';
import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import type { Item } from '../table/fleet-table.ts';
import { BlindTries } from './blind-tries.ts';
import { type FleetState, isForced, isInForce } from './digest-entry.ts';
import { close } from './digest-steps.ts';
import { type FleetGround, takeStep } from './fleet-ground.ts';
import { FleetRefusals } from './fleet-refusals.ts';
import { knownActive, tryProbability } from './fleet-rules.ts';
import { reasonOf, stateOf } from './fleet-words.ts';
import { KnownEntry } from './known-entry.ts';
import { Lottery } from './lottery.ts';
import { OwnWindow } from './own-window.ts';
import { type Claimable, Prober, ProbeTicket } from './prober.ts';
import { type Evidence, Voter } from './voter.ts';

/** Of a call that an operator lets through: nothing follows from what comes of it. */
class FreeTicket {}
const FREE = new FreeTicket();

/** What an admitted call holds until it settles. */
export type FleetTicket = Ticket | ProbeTicket | FreeTicket;

export interface FleetBreakerOptions {
  /** This instance's own, which decides as long as the fleet says nothing. */
  readonly local: Breaker;
  /** The model concerned, `id@version`. */
  readonly model?: string | undefined;
  readonly settings: CircuitBreakerSettings;
  readonly ground: FleetGround;
  /** Ms between two looks at the digest. */
  readonly ttlMs: number;
  /** Told of the fleet's steps; must not throw. */
  readonly onTransition: (transition: BreakerTransition) => void;
}

const SECOND_MS = 1_000;

/**
 * A breaker that a fleet shares. This instance's own decides; what the digest knows is added to it: open for the fleet is open
 * here, and one of all instances is the probe. It never waits for the store but to claim a probe.
 */
export class FleetBreaker {
  readonly name: string;
  readonly #options: FleetBreakerOptions;
  readonly #local: Breaker;
  readonly #known: KnownEntry;
  readonly #prober: Prober;
  readonly #voter: Voter;
  readonly #tries: Lottery;
  readonly #blind: BlindTries;
  readonly #refusals: FleetRefusals;
  #window = new OwnWindow();
  /** The fleet says nothing against any call: the healthy way looks at no more than this. */
  #isCalm = true;
  #isSuspicious = false;
  #isClosing = false;

  constructor(options: FleetBreakerOptions) {
    const { local, ground, settings } = options;
    this.name = local.name;
    this.#options = options;
    this.#local = local;
    this.#known = new KnownEntry(this.name, ground, settings);
    this.#prober = new Prober(this.name, ground, settings);
    this.#voter = new Voter(this.name, ground, settings, () => this.#evidence());
    this.#tries = new Lottery(ground.random);
    this.#blind = new BlindTries(ground.random, options.ttlMs);
    this.#refusals = new FleetRefusals(this.name, options.model, ground.clock);
  }

  get judgesTime(): boolean {
    return this.#local.judgesTime;
  }

  /** Of the fleet's state, as it is known here. */
  get epoch(): number {
    return this.#known.state.epoch;
  }

  /** What the fleet says, as it is known here. */
  get fleetState(): FleetState['kind'] {
    return this.#known.state.kind;
  }

  /** A ticket for one call, to be settled once; undefined: it must not be made, unless it becomes the probe. */
  admit(): FleetTicket | undefined {
    if (this.#isCalm) return this.#local.admit();
    this.#local.asked();
    switch (this.#rule()) {
      case 'local':
        return this.#local.admit();
      case 'free':
        return FREE;
      case 'ramp':
        return this.#known.ramp?.admits(this.#options.ground.clock.elapsed()) === false
          ? undefined
          : this.#local.admit();
      case 'blind':
        return this.#mayTryBlindly() ? this.#tryBlindly() : undefined;
      case 'refuse':
      case 'probe':
        return undefined;
    }
  }

  /** Whether a call that `admit` refuses may ask for the probe: not all do, or a large fleet would ask at once. */
  mayProbe(): boolean {
    return !this.#isCalm && this.#rule() === 'probe' && this.#choose() !== undefined && this.#wins();
  }

  /** Asks the store for the probe. @param done a ticket to be settled once, or none: somebody else has it */
  probe(done: (ticket: FleetTicket | undefined) => void): void {
    this.#prober.claim(() => this.#choose(), done);
  }

  /** Whether a call would be refused at this moment, for who has to wait for something else first; a ramp may still refuse. */
  refuses(): boolean {
    if (this.#isCalm) return this.#local.refuses();
    this.#local.asked();
    switch (this.#rule()) {
      case 'local':
      case 'ramp':
        return this.#local.refuses();
      case 'free':
        return false;
      case 'blind':
        return !this.#mayTryBlindly();
      case 'refuse':
        return true;
      case 'probe':
        return !this.mayProbe();
    }
  }

  /** What came of an admitted call, and the ms that it took. */
  settle(ticket: FleetTicket, verdict: Verdict, tookMs: number): void {
    if (ticket instanceof FreeTicket) return;
    const isSlow = this.judgesTime && tookMs >= this.#options.settings.slowCallMs;
    if (ticket instanceof ProbeTicket) {
      this.#prober.settle(ticket, verdict, { isSlow });
      return;
    }
    if (!this.#local.settle(ticket, verdict, tookMs) || verdict === 'neutral') return;
    if (verdict === 'success' && !isSlow) {
      this.#window.succeeded();
      if (!this.#isCalm) this.#blind.succeeded();
      return;
    }
    const now = this.elapsed();
    this.#window.bad(now, { failed: verdict === 'failure', slow: isSlow });
    this.#isSuspicious = true;
    // One bad call says little here, and may be one of thousands: whether the fleet has tripped is to be known soon.
    this.#options.ground.digest.hurry();
    this.#accuse(now);
  }

  /** What whoever is refused at this moment is told. */
  refusal(): BreakerOpenError {
    const rule = this.#isCalm ? 'local' : this.#rule();
    if (rule === 'local' || (rule === 'ramp' && this.#local.refuses())) return this.#local.refusal();
    return this.#refusals.of(this.#known, this.elapsed());
  }

  /** A request begins: what is due by the clock is done. */
  wake(): void {
    const now = this.elapsed();
    this.#window.tick(now);
    this.#prober.wake();
    if (this.#isSuspicious) this.#accuse(now);
    const { ramp, state } = this.#known;
    if (!this.#isClosing && ramp?.isOver(now) && state.kind === 'RAMP' && this.#wins()) {
      this.#isClosing = true;
      takeStep(this.#options.ground, close(this.name, state), () => {
        this.#isClosing = false;
      });
    }
  }

  /** The store shows the digest like this. */
  learn(item: Item | undefined): void {
    const learned = this.#known.learn(item);
    this.#blind.forget();
    if (learned === undefined) return;
    const { from, to, beginsAnew } = learned;
    if (beginsAnew) {
      this.#local.reset();
      this.#window = new OwnWindow();
      this.#isSuspicious = false;
    }
    this.#isCalm = to.kind === 'CLOSED';
    if (from.kind === to.kind && from.epoch === to.epoch) return;
    this.#options.onTransition({
      breaker: this.name,
      from: stateOf(from),
      to: stateOf(to),
      reason: reasonOf(from, to),
      epoch: to.epoch,
    });
  }

  /** Ms that have passed; never goes back. */
  elapsed(): number {
    return this.#options.ground.clock.elapsed();
  }

  report(): BreakerReport {
    const { state } = this.#known;
    const local = this.#local.report();
    const { epoch } = state;
    if (this.#isCalm || this.#rule() === 'local') return { ...local, epoch };
    return {
      name: this.name,
      state: stateOf(state),
      since: state.kind === 'CLOSED' ? local.since : state.at,
      failures: local.failures,
      epoch,
      isFleetWide: true,
      ...(state.kind === 'OPEN' || state.kind === 'HALF_OPEN'
        ? { nextProbeAt: this.#options.ground.clock.wall() + this.#known.probeInMs() }
        : {}),
    };
  }

  /** Whose word counts at this moment, where the fleet has said something. */
  #rule(): 'local' | 'free' | 'refuse' | 'ramp' | 'probe' | 'blind' {
    const { state } = this.#known;
    const { clock, digest } = this.#options.ground;
    switch (state.kind) {
      case 'CLOSED':
        return 'local';
      case 'FORCED_OPEN':
        return isInForce(state, clock.wall()) ? 'refuse' : 'local';
      case 'FORCED_CLOSED':
        return isInForce(state, clock.wall()) ? 'free' : 'local';
      case 'RAMP':
        return digest.isBlind() || this.#known.ramp?.isOver(clock.elapsed()) ? 'local' : 'ramp';
      case 'OPEN':
      case 'HALF_OPEN':
        if (!digest.isBlind()) return 'probe';
        if (this.#blind.successes >= this.#options.settings.halfOpenSuccesses) return 'local';
        return 'blind';
    }
  }

  /** What a probe may be claimed from now. */
  #choose(): Claimable | undefined {
    const { state } = this.#known;
    if (state.kind !== 'OPEN' && state.kind !== 'HALF_OPEN') return undefined;
    return this.#prober.isMine(state) || this.#known.probeInMs() <= 0 ? state : undefined;
  }

  #wins(): boolean {
    if (this.#prober.isBusy) return false;
    const { state } = this.#known;
    if (this.#prober.isMine(state)) return true;
    const second = Math.floor(this.elapsed() / SECOND_MS);
    return this.#tries.wins(`${state.kind} ${state.epoch} ${second}`, tryProbability(this.#active()));
  }

  /** The store is away: it has to have been open for long enough all the same. */
  #mayTryBlindly(): boolean {
    return this.#known.openForMs() <= 0 && this.#blind.mayTry(this.elapsed(), this.#active());
  }

  #tryBlindly(): FleetTicket | undefined {
    this.#blind.tried(this.elapsed());
    return this.#local.admit();
  }

  #active(): number | undefined {
    return knownActive(this.#known.entry.active, this.#options.ground.clock.wall());
  }

  #accuse(now: number): void {
    if (!this.#window.showsFailure(now, this.#local.isOpen())) {
      this.#isSuspicious = false;
      return;
    }
    const { state } = this.#known;
    if (state.kind === 'OPEN' || state.kind === 'HALF_OPEN') return;
    if (isForced(state) && isInForce(state, this.#options.ground.clock.wall())) return;
    this.#voter.consider(this.#known.entry);
  }

  #evidence(): Evidence {
    const isOpen = this.#local.isOpen();
    const now = this.elapsed();
    return {
      isOpen,
      showsFailure: this.#window.showsFailure(now, isOpen),
      badCalls: this.#window.badCalls(now),
    };
  }
}
