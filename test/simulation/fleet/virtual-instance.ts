import { createBreakerClock } from '../../../shared/breaker/breaker-clock.ts';
import type { BreakerReport, BreakerTransition } from '../../../shared/breaker/breaker-state.ts';
import { Breakers } from '../../../shared/breaker/breakers.ts';
import type { CircuitBreakerSettings } from '../../../shared/config/circuit-breaker.ts';
import { digestKey } from '../../../shared/fleet/breaker/digest-entry.ts';
import type { FleetBreaker, FleetTicket } from '../../../shared/fleet/breaker/fleet-breaker.ts';
import { FleetBreakers } from '../../../shared/fleet/breaker/fleet-breakers.ts';
import type { FleetTable } from '../../../shared/fleet/table/fleet-table.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Caller, VirtualStore } from './virtual-store.ts';
import type { VirtualTime } from './virtual-time.ts';

export const MODEL_BREAKER = 'translate m@1';
/** Ms that a request waits at most for a look at a fleet of which too little is known. */
const LOOK_MS = 25;
export const TTL_MS = 5_000;

/** What a call to the model is like at this moment. */
export interface ModelCall {
  readonly verdict: 'success' | 'failure' | 'neutral';
  readonly tookMs: number;
}

/** What an instance tells of itself, for the books. */
export interface InstanceObserver {
  admitted(instance: VirtualInstance, ticket: FleetTicket): void;
  /** `isLate`: it was admitted in another epoch; `isCounted`: and changed something all the same. */
  settled(
    instance: VirtualInstance,
    call: ModelCall,
    how: { readonly isLate: boolean; readonly isCounted: boolean },
  ): void;
  /** `retryAfterSeconds`: what the refusal said, where it was looked at. */
  refused(instance: VirtualInstance, retryAfterSeconds: number | undefined): void;
  /** A request had to wait so long for the store, by its own time. */
  waited(instance: VirtualInstance, ms: number, isProbe: boolean): void;
}

export interface VirtualInstanceOptions {
  readonly id: string;
  readonly time: VirtualTime;
  readonly store: VirtualStore;
  readonly random: SeededRandom;
  readonly settings: CircuitBreakerSettings;
  /** Ms by which its wall clock is off. */
  readonly skewMs: number;
  /** As Lambda has it: one request at a time, frozen in between. Otherwise all at once, awake. */
  readonly isLambda: boolean;
  readonly callModel: (instance: VirtualInstance) => ModelCall;
  readonly observer: InstanceObserver;
  readonly onTransition: (instance: VirtualInstance, transition: BreakerTransition) => void;
}

/** One instance: the real breakers over a virtual clock, network and model. It can be frozen, and killed, at any moment. */
export class VirtualInstance implements Caller {
  readonly id: string;
  readonly breakers: FleetBreakers;
  readonly breaker: FleetBreaker;
  /** Wall clock ms of its last request, as its snapshot would tell. */
  askedAt = Number.NEGATIVE_INFINITY;
  isAlive = true;
  readonly #options: VirtualInstanceOptions;
  #skewMs: number;
  #frozenUntil = 0;
  #isResting = false;
  #frozenMs = 0;
  #isServing = false;
  readonly #held: (() => void)[] = [];
  #setBackMs = 0;
  #refusals = 0;
  /** Its wall clock at the last moment of which it knows what the digest was. */
  #knowsOf = Number.NEGATIVE_INFINITY;

  constructor(options: VirtualInstanceOptions) {
    const { id, store, random, settings, onTransition } = options;
    this.id = id;
    this.#options = options;
    this.#skewMs = options.skewMs;
    const clock = createBreakerClock(() => this.wall());
    const local = new Breakers(clock, (transition) => onTransition(this, transition));
    let ids = 0;
    this.breakers = new FleetBreakers({
      instance: id,
      local,
      table: this.#watched(store.reachedBy(this)),
      clock,
      random: () => random.next(),
      newId: () => `${id}-${++ids}`,
      ttlMs: TTL_MS,
      onTransition: (transition) => onTransition(this, transition),
    });
    this.breaker = this.breakers.get(MODEL_BREAKER, settings, 'm@1');
  }

  /** Its wall clock. */
  wall(): number {
    return 1_700_000_000_000 + this.#options.time.now() + this.#skewMs;
  }

  jump(ms: number): void {
    this.#skewMs += ms;
    // It goes by time that passes: a clock that is set back counts as one that stood still.
    if (ms < 0) this.#setBackMs -= ms;
  }

  kill(): void {
    this.isAlive = false;
    this.#held.length = 0;
  }

  freeze(ms: number): void {
    const { time } = this.#options;
    if (!this.isAlive) return;
    const until = Math.max(this.#frozenUntil, time.now() + ms);
    this.#frozenMs += until - Math.max(this.#frozenUntil, time.now());
    this.#frozenUntil = until;
    time.at(until, () => this.#thaw());
  }

  endFreeze(): void {
    this.#frozenUntil = 0;
    this.#thaw();
  }

  deliver(run: () => void): void {
    if (!this.isAlive) return;
    if (this.#isFrozen()) this.#held.push(run);
    else run();
  }

  /** Somebody wants a translation. */
  request(): void {
    if (!this.isAlive || (this.#options.isLambda && this.#isServing)) return;
    this.#isServing = true;
    this.#isResting = false;
    this.#thaw();
    this.deliver(() => this.#serve());
  }

  #serve(): void {
    const { time } = this.#options;
    this.askedAt = this.wall();
    const startedAt = time.now();
    const frozenBefore = this.#frozenMs;
    const waitedMs = () => time.now() - startedAt - (this.#frozenMs - frozenBefore);
    this.breakers.wake();
    if (!this.breakers.isStale()) {
      this.#admit();
      return;
    }
    let isOver = false;
    const goOn = () => {
      if (isOver) return;
      isOver = true;
      this.#options.observer.waited(this, waitedMs(), false);
      this.#admit();
    };
    this.breakers.look(goOn);
    time.after(LOOK_MS, () => this.deliver(goOn));
  }

  /** As a request has it: whoever would be refused does not even wait for the model to load. */
  #admit(): void {
    const { breaker } = this;
    if (breaker.refuses()) {
      this.#refuse();
      return;
    }
    const ticket = breaker.admit();
    if (ticket !== undefined) {
      this.#call(ticket);
      return;
    }
    if (!breaker.mayProbe()) {
      this.#refuse();
      return;
    }
    const startedAt = this.#options.time.now();
    const frozenBefore = this.#frozenMs;
    breaker.probe((probe) => {
      const waitedMs = this.#options.time.now() - startedAt - (this.#frozenMs - frozenBefore);
      this.#options.observer.waited(this, waitedMs, true);
      const ticket = probe ?? breaker.admit();
      if (ticket === undefined) this.#refuse();
      else this.#call(ticket);
    });
  }

  #refuse(): void {
    // Making the error costs more than all else here, so not every one is looked at.
    this.#refusals += 1;
    const isTold = this.#refusals % 8 === 1;
    this.#options.observer.refused(this, isTold ? this.breaker.refusal().retryAfterSeconds : undefined);
    this.#end();
  }

  #call(ticket: FleetTicket): void {
    const { callModel, observer, time } = this.#options;
    const call = callModel(this);
    const { epoch } = this.breaker;
    observer.admitted(this, ticket);
    time.after(call.tookMs, () =>
      this.deliver(() => {
        const isLate = this.breaker.epoch !== epoch;
        const before = isLate ? this.breaker.report() : undefined;
        this.breaker.settle(ticket, call.verdict, call.tookMs);
        const isCounted = before !== undefined && !isSame(before, this.breaker.report());
        observer.settled(this, call, { isLate, isCounted });
        this.#end();
      }),
    );
  }

  /** Lambda waits a moment for store calls that are out, and freezes. */
  #end(): void {
    this.#isServing = false;
    if (!this.#options.isLambda) return;
    const patience = this.#options.random.next() * 100;
    this.#options.time.after(patience, () => {
      if (!this.#isServing) this.#isResting = true;
    });
  }

  #isFrozen(): boolean {
    return this.#isResting || this.#options.time.now() < this.#frozenUntil;
  }

  #thaw(): void {
    while (this.isAlive && !this.#isFrozen()) {
      const run = this.#held.shift();
      if (run === undefined) return;
      run();
    }
  }

  /** Whether it has not heard of the digest for so long that it may go by its own calls alone. */
  get isBlind(): boolean {
    return this.wall() + this.#setBackMs - this.#knowsOf > 60_000;
  }

  /** The same, and how new what it told of the digest is. */
  #watched(table: FleetTable): FleetTable {
    const now = () => this.wall() + this.#setBackMs;
    /** An answer is as old as its question, however late it is delivered. */
    const noted = <Answer extends { readonly kind: string }>(pk: string, done: (answer: Answer) => void) => {
      const askedAt = now();
      return (answer: Answer) => {
        if (answer.kind !== 'unavailable' && pk === digestKey.pk) {
          this.#knowsOf = Math.max(this.#knowsOf, askedAt);
        }
        done(answer);
      };
    };
    return {
      query: table.query,
      read: (key, done, options) => table.read(key, noted(key.pk, done), options),
      update: (update, done) => table.update(update, noted(update.key.pk, done)),
    };
  }
}

function isSame(one: BreakerReport, other: BreakerReport): boolean {
  return one.state === other.state && one.failures === other.failures && one.epoch === other.epoch;
}
