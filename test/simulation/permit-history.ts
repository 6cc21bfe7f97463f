import fc from 'fast-check';
import { type PermitRecord, permitKey } from '../../shared/fleet/permits/permit-record.ts';
import { type Condition, set, type Update } from '../../shared/fleet/table/fleet-table.ts';
import { type Fate, MODEL, PermitWorld, type Seeking } from '../support/permit-world.ts';
import { SeededRandom } from './fleet/seeded-random.ts';

/** What can happen to instances that share permits; `who` and `amount` choose among what is there. */
export interface PermitEvent {
  readonly kind: keyof typeof weights;
  readonly who: number;
  /** 0 to 1000. */
  readonly amount: number;
}

const weights = {
  'somebody seeks': 8,
  'somebody gives back': 4,
  'time passes': 16,
  'an instance is frozen': 5,
  'a call goes wrong': 10,
  'an instance is cut off, or connected': 2,
  'a clock is set': 1,
  'reads become stale, or fresh': 2,
  'an operator sets the number': 1,
} as const;

export interface PermitHistory {
  readonly permits: number;
  readonly instances: number;
  readonly seed: number;
  readonly events: readonly PermitEvent[];
}

const kinds = Object.entries(weights) as [PermitEvent['kind'], number][];
const anyEvent: fc.Arbitrary<PermitEvent> = fc.record({
  kind: fc.oneof(...kinds.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  who: fc.nat(30),
  amount: fc.nat(1_000),
});

export const anyPermitHistory: fc.Arbitrary<PermitHistory> = fc.record({
  permits: fc.integer({ min: 1, max: 3 }),
  instances: fc.integer({ min: 2, max: 5 }),
  seed: fc.nat(),
  events: fc.array(anyEvent, { minLength: 1, maxLength: 60, size: 'max' }),
});

/** Ms: from less than a way to the store, to more than a lease. */
const spans = [1, 7, 60, 400, 1_500, 4_000, 9_000, 20_000, 35_000];
/** Ms: to a quarter of an hour. */
const freezes = [1, 300, 8_000, 15_000, 32_000, 45_000, 900_000];
const skews = [-5_000, 0, 5_000];
const fates: readonly ((ms: number) => Fate)[] = [
  () => ({ kind: 'lost' }),
  () => ({ kind: 'answer lost' }),
  (ms) => ({ kind: 'late', ms }),
  (ms) => ({ kind: 'twice', ms }),
  (ms) => ({ kind: 'frozen', ms: ms * 40 }),
];

/** Throws with seed, path and the shortest history when something is wrong with one of so many. */
export function checkPermits(numRuns: number): void {
  fc.assert(
    fc.property(anyPermitHistory, (history) => {
      const wrong = playPermits(history);
      if (wrong.length > 0) throw new Error(wrong.join('; '));
    }),
    { numRuns },
  );
}

/** Plays one history of the real code, and says what was wrong with it. */
export function playPermits(history: PermitHistory, mutate?: (update: Update) => Update): readonly string[] {
  return new History(history, mutate).play();
}

class History {
  readonly #history: PermitHistory;
  readonly #world: PermitWorld;
  readonly #seekings: Seeking[] = [];
  readonly #wrong: string[] = [];
  #operators: number | undefined;

  constructor(history: PermitHistory, mutate: ((update: Update) => Update) | undefined) {
    this.#history = history;
    this.#world = new PermitWorld(history.permits, mutate === undefined ? {} : { mutate });
    this.#world.afterEach = () => this.#check();
    this.#world.onUpdated = (update, before, after, by) => this.#checkUpdate(update, before, after, by);
    const random = new SeededRandom(history.seed);
    for (let n = 0; n < history.instances; n++) this.#world.add().chance = () => random.next();
  }

  play(): readonly string[] {
    for (const event of this.#history.events) {
      this.#happens(event);
      if (this.#wrong.length > 0) return this.#wrong;
    }
    this.#everybodyIsServed();
    if (this.#wrong.length === 0) this.#nothingIsLeft();
    return this.#wrong;
  }

  #happens({ kind, who, amount }: PermitEvent): void {
    const world = this.#world;
    const instance = pick(world.instances, who);
    switch (kind) {
      case 'somebody seeks':
        if (!instance.isFrozen && this.#open().length < 8) this.#seekings.push(instance.seek());
        break;
      case 'somebody gives back': {
        const mine = this.#open().filter((each) => !each.instance.isFrozen);
        if (mine.length > 0) pick(mine, who).release();
        break;
      }
      case 'time passes':
        world.pass(pick(spans, amount));
        break;
      case 'an instance is frozen':
        instance.freeze(pick(freezes, amount), { stopsMonotonic: who % 2 === 0, wakesLate: amount % 2 === 0 });
        break;
      case 'a call goes wrong':
        // Mostly soon, and now and then when nobody expects it any more.
        instance.fates.push(pick(fates, who)(amount % 4 > 0 ? amount : amount * 60));
        break;
      case 'an instance is cut off, or connected':
        instance.isCutOff = !instance.isCutOff;
        break;
      case 'a clock is set':
        instance.skewMs = pick(skews, amount);
        break;
      case 'reads become stale, or fresh':
        instance.staleMs = instance.staleMs === 0 ? amount : 0;
        break;
      case 'an operator sets the number':
        this.#operators = 1 + (amount % this.#history.permits);
        world.table.apply({
          name: 'SET',
          key: permitKey(MODEL),
          condition: undefined,
          changes: [set(['n'], this.#operators)],
        });
        break;
    }
  }

  #open(): Seeking[] {
    return this.#seekings.filter((each) => !each.isReleased && each.told.at(-1) !== 'lost');
  }

  #check(): void {
    const held = this.#seekings.filter((each) => each.isHeld && each.instance.isAwake);
    if (held.length > this.#history.permits) this.#wrong.push(`${held.length} hold ${this.#history.permits} permits`);
    for (const { told } of this.#seekings) {
      if (told.length > 2 || (told.length === 2 && told.join() !== 'permit,lost')) this.#wrong.push(`told ${told}`);
    }
  }

  #checkUpdate({ name, condition, changes }: Update, before: PermitRecord, after: PermitRecord, by: string): void {
    const change = changes[0];
    const place = change === undefined || change.kind === 'add' ? NaN : Number(change.path[0].slice(1));
    const [was, is] = [before.slots.get(place), after.slots.get(place)];
    if ((after.fence ?? 0) < (before.fence ?? 0)) this.#wrong.push('the fence has gone back');
    switch (name) {
      case 'ACQUIRE':
        if ((after.fence ?? 0) <= (before.fence ?? 0)) this.#wrong.push('a fence is given twice');
        if (place >= (this.#operators ?? this.#history.permits)) this.#wrong.push('a place that is not to be had');
        break;
      case 'RENEW':
      case 'RELEASE':
        if (was?.owner !== by || was.fence !== fenceIn(condition))
          this.#wrong.push(`${name} by one who holds it no more`);
        if (name === 'RENEW' && is !== undefined && was !== undefined && is.renewals < was.renewals)
          this.#wrong.push('a renewal is undone');
        break;
    }
  }

  /** Nothing goes wrong any more, and permits are given back as soon as they are held: nobody waits for ever. */
  #everybodyIsServed(): void {
    const world = this.#world;
    for (const instance of world.instances) {
      instance.fates.length = 0;
      instance.isCutOff = false;
      instance.staleMs = 0;
    }
    // A freeze may be about to begin, or to follow another.
    for (let round = 0; round < 10; round++) {
      world.pass(2 + Math.max(0, ...world.instances.map(({ frozenUntil }) => frozenUntil - world.now)));
    }
    const waiting = () => this.#open().filter(({ told }) => told.length === 0);
    for (let second = 0; second < 240 && waiting().length > 0 && this.#wrong.length === 0; second++) {
      for (const each of this.#open()) if (each.told.length > 0) each.release();
      world.pass(1_000);
    }
    if (waiting().length > 0) this.#wrong.push(`${waiting().length} wait for ever`);
  }

  /** When all is given back, all permits can be had within a lease and a few looks. */
  #nothingIsLeft(): void {
    for (const each of this.#open()) each.release();
    this.#world.pass(60_000);
    const last = this.#world.add('last');
    const wanted = Array.from({ length: this.#operators ?? this.#history.permits }, () => last.seek());
    this.#world.pass(60_000);
    if (!wanted.every((each) => each.isHeld)) this.#wrong.push('a permit is gone');
  }
}

/** The fence that a condition names. */
function fenceIn(condition: Condition | undefined): number | undefined {
  if (condition === undefined) return undefined;
  if (condition.kind === 'all') return condition.of.map(fenceIn).find((fence) => fence !== undefined);
  const isFence = condition.kind === 'equals' && condition.path[1] === 'fence';
  return isFence && typeof condition.value === 'number' ? condition.value : undefined;
}

function pick<Thing>(things: readonly Thing[], number: number): Thing {
  const thing = things[number % things.length];
  if (thing === undefined) throw new Error('nothing to choose from');
  return thing;
}
