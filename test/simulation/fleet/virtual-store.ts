import type {
  FleetTable,
  Item,
  Key,
  QueryAnswer,
  ReadAnswer,
  Update,
  UpdateAnswer,
} from '../../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from '../../support/virtual-table.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What may happen to calls, as probabilities. */
export interface StoreFaults {
  /** The answer is lost, though the call was carried out. */
  readonly lostAnswer: number;
  /** The call never arrives. */
  readonly lostCall: number;
  /** A write is carried out a second time, up to 2 s later. */
  readonly duplicate: number;
  /** A write is carried out up to 3 s after its caller has given up. */
  readonly late: number;
  readonly throttled: number;
  /** A read that need not be consistent shows what was there up to a second ago. */
  readonly stale: number;
  /** The call takes longer than 25 ms, which nobody waits for in front of a request. */
  readonly slow: number;
}

export const noFaults: StoreFaults = {
  lostAnswer: 0,
  lostCall: 0,
  duplicate: 0,
  late: 0,
  throttled: 0,
  stale: 0,
  slow: 0,
};

/** The longest that any caller waits. */
export const BUDGET_MS = 100;
/** The longest that a stale read lags behind. */
export const STALE_MS = 1_000;
const LATE_MS = 3_000;

export interface Applied {
  readonly update: Update;
  /** Who sent it. */
  readonly by: string;
  readonly before: Item | undefined;
  readonly after: Item;
}

/** The caller's side of the network. */
export interface Caller {
  readonly id: string;
  /** Runs now, or when the caller is awake again, or never. */
  deliver(run: () => void): void;
}

/** The store that all instances share, and a network that loses, repeats, delays and shows old things. */
export class VirtualStore {
  readonly table: VirtualTable;
  faults: StoreFaults = noFaults;
  /** Nobody reaches it. */
  isAway = false;
  /** Ids of those who do not reach it. */
  readonly cutOff = new Set<string>();
  /** By the name of the call, where it was carried out. */
  readonly counts = new Map<string, number>();
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #onApplied: (applied: Applied) => void;
  readonly #onFault: (what: string) => void;
  /** Of each item that is read: what it was, with the time until which it was so. */
  readonly #past = new Map<string, { readonly until: number; readonly item: Item | undefined }[]>();

  constructor(options: {
    readonly time: VirtualTime;
    readonly random: SeededRandom;
    readonly mutate?: ((update: Update) => Update) | undefined;
    readonly onApplied: (applied: Applied) => void;
    /** Told of every fault that happens to a call. */
    readonly onFault?: (what: string) => void;
  }) {
    this.table = new VirtualTable(options.mutate === undefined ? {} : { mutate: options.mutate });
    this.#time = options.time;
    this.#random = options.random;
    this.#onApplied = options.onApplied;
    this.#onFault = options.onFault ?? (() => {});
  }

  /** The store as one instance reaches it. */
  reachedBy(caller: Caller): FleetTable {
    return {
      read: (key, done, { isConsistent = false } = {}) =>
        this.#call<ReadAnswer>(caller, 'READ', () => this.#read(key, isConsistent), done),
      query: (pk, done) => this.#call<QueryAnswer>(caller, 'QUERY', () => this.table.query(pk), done),
      update: (update, done) => {
        const carryOut = () => this.#apply(update, caller.id);
        this.#call<UpdateAnswer>(caller, update.name, carryOut, done, { isWrite: true });
      },
    };
  }

  /** Writes at once and for sure: what is not to be tested. */
  put(update: Update): void {
    this.#apply(update, 'nobody');
  }

  #call<Answer>(
    caller: Caller,
    name: string,
    carryOut: () => Answer,
    done: (answer: Answer | { readonly kind: 'unavailable' }) => void,
    { isWrite = false } = {},
  ): void {
    const { faults } = this;
    const random = this.#random;
    let isAnswered = false;
    const answer = (one: Answer | { readonly kind: 'unavailable' }) => {
      caller.deliver(() => {
        if (isAnswered) return;
        isAnswered = true;
        done(one);
      });
    };
    const giveUp = () => answer({ kind: 'unavailable' });
    this.#time.after(BUDGET_MS, giveUp);
    if (this.isAway || this.cutOff.has(caller.id) || this.#happens(faults.lostCall)) {
      this.#onFault('call lost');
      return;
    }
    if (this.#happens(faults.throttled)) {
      this.#onFault('call throttled');
      this.#time.after(random.between(1, 10), giveUp);
      return;
    }
    const wayMs = this.#happens(faults.slow) ? random.between(15, 70) : random.between(1, 8);
    const backMs = random.between(1, 4);
    const isLate = isWrite && this.#happens(faults.late);
    const isLost = isLate || this.#happens(faults.lostAnswer);
    if (isLost) this.#onFault(isLate ? 'write late' : 'answer lost');
    this.#time.after(isLate ? random.between(BUDGET_MS, LATE_MS) : wayMs, () => {
      const result = carryOut();
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      if (!isLost) this.#time.after(backMs, () => answer(result));
    });
    if (isWrite && this.#happens(faults.duplicate)) {
      this.#onFault('write repeated');
      this.#time.after(wayMs + random.between(1, 2_000), () => void carryOut());
    }
  }

  /** Costs no random number where nothing goes wrong. */
  #happens(probability: number): boolean {
    return probability > 0 && this.#random.happens(probability);
  }

  #read(key: Key, isConsistent: boolean): ReadAnswer {
    if (isConsistent || !this.#happens(this.faults.stale)) return this.table.read(key);
    const then = this.#time.now() - this.#random.between(0, STALE_MS);
    const past = this.#past.get(`${key.pk} ${key.sk}`)?.find(({ until }) => until > then);
    if (past === undefined) return this.table.read(key);
    this.#onFault('read stale');
    return { kind: 'read', item: past.item };
  }

  #apply(update: Update, by: string): UpdateAnswer {
    const { item: before } = this.table.read(update.key);
    const answer = this.table.apply(update);
    if (answer.kind === 'updated') {
      this.#remember(update.key, before);
      this.#onApplied({ update, by, before, after: answer.item });
    }
    return answer;
  }

  #remember({ pk, sk }: Key, item: Item | undefined): void {
    if (this.faults.stale === 0) return;
    const now = this.#time.now();
    const id = `${pk} ${sk}`;
    const past = (this.#past.get(id) ?? []).filter(({ until }) => until > now - STALE_MS);
    past.push({ until: now, item });
    this.#past.set(id, past);
  }
}
