import { FleetLoadPermits } from '../../shared/fleet/permits/fleet-load-permits.ts';
import { type PermitTimes, permitTimes } from '../../shared/fleet/permits/permit-ground.ts';
import { type PermitRecord, permitKey, readPermits } from '../../shared/fleet/permits/permit-record.ts';
import type { FleetTable, Item, Update } from '../../shared/fleet/table/fleet-table.ts';
import type { PermitGrant } from '../../shared/host/load-permits.ts';
import { VirtualTable } from './virtual-table.ts';

/** What becomes of one call. */
export type Fate =
  | { readonly kind: 'answered' }
  /** It never comes to the store. */
  | { readonly kind: 'lost' }
  /** The store carries it out, and nobody hears of it. */
  | { readonly kind: 'answer lost' }
  /** Given up by the caller, and carried out so many ms after it was sent. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Carried out, answered, and carried out again so many ms after it was sent. */
  | { readonly kind: 'twice'; readonly ms: number }
  /** Its caller is frozen for so long while it is out, and has the answer before it is woken. */
  | { readonly kind: 'frozen'; readonly ms: number };

interface Happening {
  at: number;
  /** Among those of the same ms the lowest goes first. */
  readonly number: number;
  /** Whose it is: while that one is frozen it waits. */
  readonly of: PermitInstance | undefined;
  readonly run: () => void;
}

/** Ms to the store, and back. */
const WAY_MS = 5;
/** Ms until a caller gives a call up. */
const BUDGET_MS = 100;
/** Ms for which a read may show what was so before. */
const STALE_MS = 1_000;

export const MODEL = 'model';

/** Instances that share a table of permits, in a time that passes when the test says so. */
export class PermitWorld {
  readonly table: VirtualTable;
  readonly permits: number;
  readonly times: PermitTimes;
  readonly instances: PermitInstance[] = [];
  /** Of the store, as its item of the model was, by the time since when. */
  readonly #past: { readonly at: number; readonly item: Item }[] = [];
  #happenings: Happening[] = [];
  #number = 0;
  now = 1_000_000;
  /** Called after everything that happens. */
  afterEach: () => void = () => undefined;
  /** Called when the store has carried an update out. */
  onUpdated: (update: Update, before: PermitRecord, after: PermitRecord, by: string) => void = () => undefined;

  constructor(
    permits: number,
    options: { readonly times?: PermitTimes; readonly mutate?: (update: Update) => Update } = {},
  ) {
    this.permits = permits;
    this.times = options.times ?? permitTimes;
    this.table = new VirtualTable(options.mutate === undefined ? {} : { mutate: options.mutate });
  }

  add(name = `i${this.instances.length}`): PermitInstance {
    const instance = new PermitInstance(name, this);
    this.instances.push(instance);
    return instance;
  }

  get record(): PermitRecord {
    return readPermits(this.table.read(permitKey(MODEL)).item);
  }

  /** Who holds which place, by the store: `i0` or `-`. */
  get owners(): string[] {
    const { slots } = this.record;
    return Array.from({ length: this.permits }, (_, place) => slots.get(place)?.owner ?? '-');
  }

  plan(ms: number, of: PermitInstance | undefined, run: () => void, number = this.#number++): Happening {
    const happening = { at: this.now + ms, number, of, run };
    this.#happenings.push(happening);
    return happening;
  }

  cancel(happening: Happening): void {
    this.#happenings = this.#happenings.filter((each) => each !== happening);
  }

  /** All that happens in so many ms. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#takeNext(end); next !== undefined; next = this.#takeNext(end)) {
      this.now = Math.max(this.now, next.at);
      const frozenMs = next.of === undefined ? 0 : next.of.frozenUntil - this.now;
      if (frozenMs > 0) {
        next.at += frozenMs;
        this.#happenings.push(next);
        continue;
      }
      next.run();
      this.afterEach();
    }
    this.now = end;
  }

  /** @returns the item as it is, or as it was at most a second ago */
  itemAsOf(staleMs: number): Item | undefined {
    const at = this.now - Math.min(staleMs, STALE_MS);
    return staleMs === 0 ? this.table.read(permitKey(MODEL)).item : this.#past.findLast((past) => past.at <= at)?.item;
  }

  carryOut(update: Update, by: string): ReturnType<VirtualTable['apply']> {
    const before = this.record;
    const answer = this.table.apply(update);
    if (answer.kind === 'updated') {
      this.#past.push({ at: this.now, item: answer.item });
      this.onUpdated(update, before, this.record, by);
    }
    return answer;
  }

  #takeNext(end: number): Happening | undefined {
    let next: Happening | undefined;
    for (const each of this.#happenings) {
      if (each.at > end) continue;
      if (next === undefined || each.at < next.at || (each.at === next.at && each.number < next.number)) next = each;
    }
    if (next !== undefined) this.cancel(next);
    return next;
  }
}

/** One that seeks permits of the model, and what it was told. */
export class PermitInstance {
  readonly name: string;
  readonly permits: FleetLoadPermits;
  /** What becomes of its next calls, in order; those after them are answered. */
  readonly fates: Fate[] = [];
  /** While it is true no call comes to the store. */
  isCutOff = false;
  /** Ms by which its eventually consistent reads are behind. */
  staleMs = 0;
  /** What its draws of chance give. */
  chance: () => number = () => 0.5;
  /** Names of the updates that it has sent, and `read`, or `consistent read`. */
  readonly calls: string[] = [];
  frozenUntil = 0;
  /** False from a freeze until it has looked at the clock. */
  isAwake = true;
  /** By which its wall clock is wrong. */
  skewMs = 0;
  #stoppedMs = 0;
  readonly #world: PermitWorld;

  constructor(name: string, world: PermitWorld) {
    this.name = name;
    this.#world = world;
    this.permits = new FleetLoadPermits({
      table: this.#table(),
      clock: { wall: () => world.now + this.skewMs, monotonic: () => this.#monotonic() },
      after: (ms, run) => this.#after(ms, run),
      random: () => this.chance(),
      owner: name,
      permits: world.permits,
      times: world.times,
    });
  }

  get isFrozen(): boolean {
    return this.frozenUntil > this.#world.now;
  }

  seek(): Seeking {
    return new Seeking(this);
  }

  /** Nothing of it runs for so long; then it is woken, before or after all that has come meanwhile. */
  freeze(ms: number, options: { readonly stopsMonotonic: boolean; readonly wakesLate?: boolean }): void {
    const { stopsMonotonic, wakesLate = false } = options;
    if (this.isFrozen) return;
    this.frozenUntil = this.#world.now + ms;
    // Until it is over nobody looks at it.
    if (stopsMonotonic) this.#stoppedMs += ms;
    this.isAwake = false;
    const wake = () => {
      this.permits.wake();
      this.isAwake = true;
    };
    if (wakesLate) this.#world.plan(ms, this, () => this.#world.plan(0, this, wake));
    else this.#world.plan(ms, this, wake, -1);
  }

  #monotonic(): number {
    return this.#world.now - this.#stoppedMs;
  }

  #after(ms: number, run: () => void): () => void {
    // As real timers do, it knows whole ms alone.
    const due = this.#monotonic() + Math.ceil(ms);
    let planned: Happening;
    const plan = (left: number) => {
      planned = this.#world.plan(left, this, () => {
        const missing = due - this.#monotonic();
        if (missing > 0) plan(missing);
        else run();
      });
    };
    plan(Math.ceil(ms));
    return () => this.#world.cancel(planned);
  }

  #table(): FleetTable {
    const world = this.#world;
    const send = <Answer>(carryOut: () => Answer, done: (answer: Answer | { kind: 'unavailable' }) => void) => {
      const fate: Fate = this.isCutOff ? { kind: 'lost' } : (this.fates.shift() ?? { kind: 'answered' });
      const giveUp = () => world.plan(BUDGET_MS, this, () => done({ kind: 'unavailable' }));
      const act = () => void carryOut();
      switch (fate.kind) {
        case 'lost':
          giveUp();
          return;
        case 'answer lost':
          world.plan(WAY_MS, undefined, act);
          giveUp();
          return;
        case 'late':
          world.plan(fate.ms, undefined, act);
          giveUp();
          return;
        case 'twice':
          world.plan(fate.ms, undefined, act);
          break;
        case 'frozen':
          world.plan(1, this, () => this.freeze(fate.ms, { stopsMonotonic: false, wakesLate: true }));
      }
      world.plan(WAY_MS, undefined, () => {
        const answer = carryOut();
        world.plan(WAY_MS, this, () => done(answer));
      });
    };
    return {
      read: (_, done, { isConsistent = false } = {}) => {
        this.calls.push(isConsistent ? 'consistent read' : 'read');
        send(() => ({ kind: 'read' as const, item: world.itemAsOf(isConsistent ? 0 : this.staleMs) }), done);
      },
      query: () => {
        throw new Error('permits need no query');
      },
      update: (update, done) => {
        this.calls.push(update.name);
        send(() => world.carryOut(update, this.name), done);
      },
    };
  }
}

/** One wish for a permit, and what came of it. */
export class Seeking {
  readonly instance: PermitInstance;
  /** In order: `permit`, `store away`, `lost`. */
  readonly told: (PermitGrant | 'lost')[] = [];
  isReleased = false;
  readonly #permit: { release(): void };

  constructor(instance: PermitInstance) {
    this.instance = instance;
    this.#permit = instance.permits.seek(MODEL, {
      granted: (grant) => this.#tell(grant),
      lost: () => this.#tell('lost'),
    });
  }

  /** Whether it loads with a permit that it believes in. */
  get isHeld(): boolean {
    return !this.isReleased && this.told.at(-1) === 'permit';
  }

  release(): void {
    this.isReleased = true;
    this.#permit.release();
  }

  #tell(what: PermitGrant | 'lost'): void {
    if (this.isReleased) throw new Error(`told ${what} after it was given back`);
    this.told.push(what);
  }
}
