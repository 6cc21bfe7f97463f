import { Breaker } from '../../shared/breaker/breaker.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import type { Verdict } from '../../shared/breaker/evidence.ts';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import { type DigestEntry, digestKey, readEntry } from '../../shared/fleet/breaker/digest-entry.ts';
import {
  claim,
  close,
  type Force,
  force,
  release,
  settleSuccess,
  trip,
} from '../../shared/fleet/breaker/digest-steps.ts';
import { DigestView } from '../../shared/fleet/breaker/digest-view.ts';
import { FleetBreaker, type FleetTicket } from '../../shared/fleet/breaker/fleet-breaker.ts';
import { ProbeTicket } from '../../shared/fleet/breaker/prober.ts';
import { vote, voteWindow } from '../../shared/fleet/breaker/vote-record.ts';
import type { Update } from '../../shared/fleet/table/fleet-table.ts';
import { breakerSettings } from './breaker-settings.ts';
import { HandClock } from './hand-clock.ts';
import { ScheduledStore, type StoreCall } from './scheduled-store.ts';

export const BREAKER = 'translate m@1';
export const TTL_MS = 5_000;

/** One instance, `me`, and its breaker that a fleet shares: time, store, chance and the rest of the fleet are the test's. */
export class FleetStage {
  readonly clock = new HandClock();
  readonly store = new ScheduledStore();
  readonly settings: CircuitBreakerSettings;
  readonly steps: BreakerTransition[] = [];
  readonly digest: DigestView;
  readonly breaker: FleetBreaker;
  /** What every draw comes to, 0 up to 1. */
  chance = 0;
  #ids = 0;

  constructor(changes: Partial<CircuitBreakerSettings> = {}) {
    this.settings = breakerSettings(changes);
    const clock = createBreakerClock(() => this.clock.wall());
    const random = () => this.chance;
    const table = this.store.reachedBy();
    this.digest = new DigestView({
      table,
      elapsed: () => clock.elapsed(),
      random,
      ttlMs: TTL_MS,
      onItem: (item) => this.breaker.learn(item),
    });
    const onTransition = (step: BreakerTransition) => void this.steps.push(step);
    const local = new Breaker({ name: BREAKER, model: 'm@1', settings: this.settings, clock, onTransition });
    const ground = { instance: 'me', table, digest: this.digest, clock, random, newId: () => `me-${++this.#ids}` };
    this.breaker = new FleetBreaker({
      local,
      model: 'm@1',
      settings: this.settings,
      ground,
      ttlMs: TTL_MS,
      onTransition,
    });
  }

  /** What the digest in the store says. */
  entry(): DigestEntry {
    return readEntry(this.store.table.read(digestKey).item, BREAKER);
  }

  /** Somebody else writes. */
  put(...updates: readonly (Update | undefined)[]): this {
    for (const update of updates) if (update !== undefined) this.store.apply(update);
    return this;
  }

  /** The instance looks at the digest, and has its answer. */
  look(): this {
    this.digest.read();
    this.store.answerAll();
    return this;
  }

  /** It hears at once of what somebody else has written. */
  told(...updates: readonly (Update | undefined)[]): this {
    return this.put(...updates).look();
  }

  // What the rest of the fleet does.

  count(active: number): Update | undefined {
    const asked = Array.from({ length: active }, () => [BREAKER]);
    return countActive(asked, [], this.clock.wall());
  }

  /** @param ms for which it is to stay open */
  trip(ms = this.settings.resetMs): Update {
    const { epoch } = this.entry().state;
    return trip(BREAKER, { epoch, now: this.clock.wall(), openMs: ms, openings: 1 });
  }

  claim(id: string, owner = 'other'): Update {
    const { state } = this.entry();
    if (state.kind !== 'OPEN' && state.kind !== 'HALF_OPEN') throw new Error(`it is ${state.kind}`);
    const probe = { id, owner, leaseMs: this.settings.probeLeaseMs };
    return claim(BREAKER, state, { probe, now: this.clock.wall() });
  }

  /** The last probe that is needed. */
  succeed(id: string): Update {
    const { epoch } = this.entry().state;
    const held = { epoch, id, successes: this.settings.halfOpenSuccesses - 1, openMs: 0, openings: undefined };
    return settleSuccess(BREAKER, held, { needed: this.settings.halfOpenSuccesses, now: this.clock.wall() });
  }

  close(): Update {
    return close(BREAKER, this.entry().state);
  }

  /** For a minute. */
  force(kind: Force['kind'], forMs = 60_000): Update {
    const now = this.clock.wall();
    return force(
      BREAKER,
      { kind, by: 'ops', why: 'a test', until: now + forMs },
      { epoch: this.entry().state.epoch, now },
    );
  }

  release(): Update {
    return release(BREAKER, this.entry().state);
  }

  /** In this window, or so many before it. */
  votes(voters: readonly string[], before = 0): readonly Update[] {
    const window = voteWindow(this.clock.wall()) - before;
    return voters.map((voter) => vote(BREAKER, this.entry().state.epoch, window, voter));
  }

  // What the instance does.

  /** @throws when the breaker refuses */
  admitted(): FleetTicket {
    const ticket = this.breaker.admit();
    if (ticket === undefined) throw new Error('the breaker refused the call');
    return ticket;
  }

  fail(times = 1): this {
    for (let time = 0; time < times; time++) this.breaker.settle(this.admitted(), 'failure', 0);
    return this;
  }

  succeeded(times = 1): this {
    for (let time = 0; time < times; time++) this.breaker.settle(this.admitted(), 'success', 0);
    return this;
  }

  /** Asks for the probe. @returns what it is told, when the store has answered */
  probing(): readonly (FleetTicket | undefined)[] {
    const tickets: (FleetTicket | undefined)[] = [];
    this.breaker.probe((ticket) => tickets.push(ticket));
    return tickets;
  }

  /** The probe, which nobody else has. @throws when it is refused */
  probe(): ProbeTicket {
    const tickets = this.probing();
    this.store.answerAll();
    const [ticket] = tickets;
    if (ticket instanceof ProbeTicket) return ticket;
    throw new Error('somebody else has the probe');
  }

  settle(ticket: FleetTicket, verdict: Verdict, tookMs = 0): this {
    this.breaker.settle(ticket, verdict, tookMs);
    return this;
  }

  pass(ms: number): this {
    this.clock.pass(ms);
    return this;
  }

  /** The store carries out the next call, and answers it. */
  answer(): this {
    const { id } = this.#next();
    this.store.carryOut(id);
    this.store.answer(id);
    return this;
  }

  /** The store carries out the next call, and its answer is lost. */
  loseAnswer(): this {
    const { id } = this.#next();
    this.store.carryOut(id);
    this.store.lose(id);
    return this;
  }

  /** The next call never comes to the store. */
  loseCall(): this {
    const { id } = this.#next();
    this.store.lose(id);
    this.store.forget(id);
    return this;
  }

  #next(): StoreCall {
    const [call] = this.store.calls;
    if (call === undefined) throw new Error('nothing was asked of the store');
    return call;
  }
}
