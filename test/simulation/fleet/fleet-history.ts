import { countActive } from '../../../shared/fleet/breaker/active-count.ts';
import { breakersIn, digestKey, readEntry } from '../../../shared/fleet/breaker/digest-entry.ts';
import { force, release } from '../../../shared/fleet/breaker/digest-steps.ts';
import { shardOf } from '../../../shared/fleet/instance-shards.ts';
import { set, type Update } from '../../../shared/fleet/table/fleet-table.ts';
import { FleetBooks } from './fleet-books.ts';
import { type FleetPlan, planOf } from './fleet-plan.ts';
import { SeededRandom } from './seeded-random.ts';
import { MODEL_BREAKER, type ModelCall, TTL_MS, VirtualInstance } from './virtual-instance.ts';
import { noFaults, VirtualStore } from './virtual-store.ts';
import { VirtualTime } from './virtual-time.ts';

const MONITOR_MS = 60_000;
const SNAPSHOT_MS = 30_000;
/** The time in which a fleet trips whose every call fails: votes of two windows, each after some calls. */
const TRIP_MS = 45_000;
/** How long it is watched after it has healed. */
const AFTERMATH_MS = 20_000;

export interface HistoryOptions {
  readonly seed: number;
  /** Instead of what the seed says. */
  readonly instances?: number | undefined;
  /** Carried out instead of an update: for whoever drops a clause of a condition. */
  readonly mutate?: ((update: Update) => Update) | undefined;
  /** Told of every step of a breaker, for people. */
  readonly trace?: ((line: string) => void) | undefined;
}

export interface HistoryResult {
  readonly plan: FleetPlan;
  /** What was not as it must be. */
  readonly wrong: readonly string[];
  readonly seen: ReadonlyMap<string, number>;
  readonly events: number;
}

/** Plays one history: a fleet, its trouble, and then calm, in which it has to heal. */
export function playFleetHistory(options: HistoryOptions): HistoryResult {
  const history = new FleetHistory(options);
  try {
    history.play();
  } catch (thrown) {
    history.books.fail(`threw ${String(thrown)}`);
  }
  const { plan, books, time } = history;
  return { plan, wrong: books.wrong, seen: books.seen, events: time.events };
}

class FleetHistory {
  readonly time = new VirtualTime();
  readonly plan: FleetPlan;
  readonly books: FleetBooks;
  readonly #random: SeededRandom;
  readonly #store: VirtualStore;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #all: VirtualInstance[] = [];
  readonly #snapshots = new Map<string, number>();
  readonly #bad = new Set<string>();
  #isCalm = false;
  #isCounting = true;
  /** Those who go on in the calm. */
  #serving: readonly VirtualInstance[] = [];

  constructor({ seed, instances, mutate, trace }: HistoryOptions) {
    this.#random = new SeededRandom(seed);
    this.plan = planOf(this.#random, instances);
    this.books = new FleetBooks(this.time, this.plan);
    this.#trace = trace;
    this.#store = new VirtualStore({
      time: this.time,
      random: this.#random.fork(),
      mutate,
      onFault: (what) => this.books.note(what),
      onApplied: (applied) => {
        this.books.applied(applied);
        if (applied.update.name !== 'COUNT') trace?.(`${this.#clock()} ${applied.by} ${applied.update.name}`);
      },
    });
    this.#store.faults = this.plan.faults;
  }

  play(): void {
    const { plan, time } = this;
    this.#trace?.(JSON.stringify(plan));
    this.#arrive(plan.story === 'cold fleet' || plan.staleCount ? 1 : plan.instances);
    time.after(1_000, () => this.#monitor());
    if (plan.staleCount) this.#later(2_000, () => this.#arrive(plan.instances - 1));
    if (plan.away !== undefined) this.#cutStore(plan.away);
    if (plan.partition !== undefined) this.#partition(plan.partition);
    if (plan.story === 'forced') this.#operate();
    if (plan.story === 'few calls each') this.#askFewTimes();
    else this.#keepAsking();
    // All have been asked when they are counted first.
    for (const instance of this.#all) time.after(this.#random.between(0, 900), () => this.#ask(instance));
    time.runUntil(plan.until);
    this.#expectTrip();
    this.#calmDown();
    this.#expectRecovery();
  }

  // The fleet.

  #arrive(count: number): void {
    for (let i = 0; i < count; i++) {
      const id = `i${this.#all.length}`;
      if (this.#bad.size < (this.plan.bad ?? 0)) this.#bad.add(id);
      const instance = new VirtualInstance({
        id,
        time: this.time,
        store: this.#store,
        random: this.#random.fork(),
        settings: this.plan.settings,
        skewMs: this.#random.between(-this.plan.skewMs, this.plan.skewMs),
        isLambda: this.plan.isLambda,
        callModel: (one) => this.#model(one),
        observer: this.books,
        onTransition: (one, { from, to, reason }) =>
          this.#trace?.(`${this.#clock()} ${one.id} ${from} > ${to}: ${reason}`),
      });
      this.#all.push(instance);
      if (!this.#isCalm) this.#trouble(instance);
    }
  }

  #trouble(instance: VirtualInstance): void {
    const { freezes, kills, jumps } = this.plan;
    this.#again(freezes, instance, () => {
      instance.freeze(Math.exp(this.#random.between(0, Math.log(900_000))));
      this.books.note('frozen');
    });
    this.#again(jumps, instance, () => {
      instance.jump(this.#random.between(-5_000, 5_000));
      this.books.note('clock jumped');
    });
    this.#again(kills, instance, () => {
      instance.kill();
      this.books.note('killed');
      this.#arrive(1);
      if (this.plan.story !== 'few calls each') this.#askAgain(this.#all.at(-1) ?? instance);
    });
  }

  /** So often in a minute, until the fleet is left in peace. */
  #again(perMinute: number, instance: VirtualInstance, run: () => void): void {
    if (perMinute === 0) return;
    this.time.after(this.#random.untilNext(perMinute / 60), () => {
      if (this.#isCalm || !instance.isAlive) return;
      run();
      this.#again(perMinute, instance, run);
    });
  }

  #monitor(): void {
    const { time } = this;
    if (this.#isCounting) {
      const asked = this.#all
        .filter(({ isAlive, askedAt }) => isAlive && this.#wall() - askedAt < MONITOR_MS)
        .map(() => [MODEL_BREAKER]);
      const { item } = this.#store.table.read(digestKey);
      const count = countActive(asked, breakersIn(item), this.#wall());
      if (count !== undefined && !this.#store.isAway) this.#store.put(count);
      if (this.plan.staleCount) this.#isCounting = false;
    }
    time.after(this.plan.staleCount ? 1_000 : MONITOR_MS, () => this.#monitor());
  }

  // Its requests.

  #keepAsking(): void {
    for (const instance of this.#all) this.#askAgain(instance);
    if (this.plan.story === 'cold fleet') {
      // In the moment in which the first opening is over.
      const { from, settings } = this.plan;
      this.#later(from + 3_000 + settings.resetMs, () => {
        this.#arrive(this.plan.instances - 1);
        for (const instance of this.#all.slice(1)) this.#ask(instance);
        for (const instance of this.#all.slice(1)) this.#askAgain(instance, this.plan.perSecond / 4);
      });
    }
    if (this.plan.staleCount)
      this.#later(2_001, () => {
        for (const instance of this.#all.slice(1)) this.#askAgain(instance);
      });
  }

  #askAgain(instance: VirtualInstance, perSecond = this.plan.perSecond): void {
    this.time.after(this.#random.untilNext(perSecond), () => {
      if (this.#isCalm || !instance.isAlive) return;
      this.#ask(instance);
      this.#askAgain(instance, perSecond);
    });
  }

  /** Each instance sees a call or two while all calls fail, and one before. */
  #askFewTimes(): void {
    const { from, until } = this.plan;
    for (const [index, instance] of this.#all.entries()) {
      const calls = index % 2 === 0 ? 2 : 1;
      for (let call = 0; call < calls; call++)
        this.time.at(this.#random.between(from, Math.min(until, from + 20_000)), () => this.#ask(instance));
    }
  }

  #ask(instance: VirtualInstance): void {
    instance.request();
    const now = this.#wall();
    if (now - (this.#snapshots.get(instance.id) ?? 0) < SNAPSHOT_MS || !instance.isAlive) return;
    this.#snapshots.set(instance.id, now);
    const key = { pk: shardOf(instance.id), sk: instance.id };
    this.#store.put({ name: 'SNAPSHOT', key, condition: undefined, changes: [set(['at'], now)] });
  }

  #model({ id }: VirtualInstance): ModelCall {
    const random = this.#random;
    const quickMs = random.between(5, 60);
    const now = this.time.now();
    const { story, from, until, bad, isClean } = this.plan;
    if (!isClean && random.happens(0.06)) return { verdict: 'neutral', tookMs: quickMs };
    const isTrouble = !this.#isCalm && now >= from && now < until && (bad === undefined || this.#bad.has(id));
    const isGoodTurn = story === 'flapping' && Math.floor((now - from) / 7_000) % 2 === 1;
    if (!isTrouble || isGoodTurn || story === 'healthy') return { verdict: 'success', tookMs: quickMs };
    if (story === 'slow') return { verdict: 'success', tookMs: this.plan.settings.slowCallMs + quickMs };
    return { verdict: 'failure', tookMs: quickMs };
  }

  // The store, and operators.

  #cutStore([from, until]: readonly [number, number]): void {
    this.time.at(from, () => {
      this.#store.isAway = !this.#isCalm;
    });
    this.time.at(until, () => {
      this.#store.isAway = false;
    });
  }

  /** Some do not reach the store, the others do. */
  #partition([from, until]: readonly [number, number]): void {
    const { cutOff } = this.#store;
    this.#later(from, () => {
      for (const { id } of this.#all) if (this.#random.happens(0.5)) cutOff.add(id);
    });
    this.time.at(until, () => cutOff.clear());
  }

  /** Two people, who do not talk to each other. */
  #operate(): void {
    const { from, until } = this.plan;
    for (let person = 0; person < 2; person++) {
      const at = this.#random.between(from / 2, until);
      const lastsMs = this.#random.between(3_000, 20_000);
      const kind = this.#random.pick(['FORCED_OPEN', 'FORCED_CLOSED'] as const);
      this.#later(at, () => {
        // A person looks, thinks, and decides; whatever has happened meanwhile must not be lost.
        const { epoch } = this.#state();
        this.#later(at + this.#random.between(0, 5_000), () => {
          const word = { kind, by: 'ops', why: 'a test', until: this.#wall() + lastsMs };
          this.#store.put(force(MODEL_BREAKER, word, { epoch, now: this.#wall() }));
        });
      });
      this.#later(at + this.#random.between(0, lastsMs), () => this.#releaseForced(this.#random.between(0, 5_000)));
    }
  }

  #releaseForced(afterMs: number): void {
    const state = this.#state();
    if (state.kind !== 'FORCED_OPEN' && state.kind !== 'FORCED_CLOSED') return;
    this.time.after(afterMs, () => this.#store.put(release(MODEL_BREAKER, state)));
  }

  // What must come of it.

  #expectTrip(): void {
    const { isClean, from, until } = this.plan;
    if (!isClean || this.books.firstTripAt !== undefined) return;
    const lastedMs = until - from;
    if (lastedMs > this.#tripsWithinMs()) this.books.fail(`it did not trip in ${Math.round(lastedMs)} ms`);
  }

  /** From when on a fleet whose calls fail must have tripped; where that depends on more, never. */
  #tripsWithinMs(): number {
    switch (this.plan.story) {
      case 'few calls each':
        return 25_000;
      case 'all fail':
        return TRIP_MS;
      case 'alone':
        // Its own breaker has to open, which by the rate of so few calls it may never do.
        return this.plan.settings.rule === 'consecutive' ? TRIP_MS : Number.POSITIVE_INFINITY;
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  /** All is well from now on: instances are awake, the store is there, the model works, and each instance has a request every two seconds. */
  #calmDown(): void {
    this.#isCalm = true;
    this.#store.isAway = false;
    this.#store.cutOff.clear();
    this.#store.faults = noFaults;
    this.#releaseForced(0);
    const alive = this.#all.filter(({ isAlive }) => isAlive).slice(0, 8);
    if (alive.length === 0) this.#arrive(1);
    this.#serving = alive.length === 0 ? this.#all.slice(-1) : alive;
    for (const instance of this.#serving) {
      instance.endFreeze();
      const ask = () => {
        this.#ask(instance);
        this.time.after(2_000, ask);
      };
      this.time.after(this.#random.between(0, 2_000), ask);
    }
  }

  #expectRecovery(): void {
    const { time, plan } = this;
    const { settings } = plan;
    const local = settings.resetMs + settings.rampMs + settings.halfOpenSuccesses * 2_000;
    // What is open now is at its longest; a prober may have died; then probes, ramp, and a look.
    const fleet =
      6.6 * settings.resetMs + 2 * settings.probeLeaseMs + settings.halfOpenSuccesses * 8_000 + settings.rampMs;
    const bound = Math.max(local, fleet) + 3 * TTL_MS + 30_000 + 2 * plan.jumps * 5_000;
    // Calls that were under way come to their end.
    time.runUntil(time.now() + settings.slowCallMs + 1_000);
    // Votes of the last bad calls may still trip it: then it heals once more.
    for (let trips = -1; trips < this.books.trips; ) {
      trips = this.books.trips;
      const end = time.now() + bound;
      while (time.now() < end && !this.#isHealed()) time.runUntil(time.now() + 2_000);
      if (!this.#isHealed()) {
        const states = this.#serving.map(({ breaker }) => breaker.report().state);
        this.books.fail(`not healed after ${Math.round(bound)} ms: ${this.books.state.kind}, ${[...new Set(states)]}`);
        return;
      }
      time.runUntil(time.now() + AFTERMATH_MS);
    }
    if (!this.#isHealed()) this.books.fail('it did not stay healed');
  }

  #isHealed(): boolean {
    return (
      this.books.state.kind === 'CLOSED' && this.#serving.every(({ breaker }) => breaker.report().state === 'CLOSED')
    );
  }

  #state() {
    return readEntry(this.#store.table.read(digestKey).item, MODEL_BREAKER).state;
  }

  #later(at: number, run: () => void): void {
    this.time.at(at, () => {
      if (!this.#isCalm) run();
    });
  }

  /** The monitor's and the operators' clock. */
  #wall(): number {
    return 1_700_000_000_000 + this.time.now();
  }

  #clock(): string {
    return `${(this.time.now() / 1000).toFixed(3)} s`;
  }
}
