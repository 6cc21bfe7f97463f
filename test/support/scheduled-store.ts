import { digestKey } from '../../shared/fleet/breaker/digest-entry.ts';
import type {
  FleetTable,
  Item,
  Key,
  QueryAnswer,
  ReadAnswer,
  Update,
  UpdateAnswer,
} from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from './virtual-table.ts';

type Answer = ReadAnswer | QueryAnswer | UpdateAnswer;

/** What one instance has asked of the store: it is carried out at one moment, and answered at another, in any order or never. */
export interface StoreCall {
  readonly id: number;
  readonly by: number;
  readonly name: string;
  /** What is asked for; two calls of the same text are the same. */
  readonly text: () => string;
  /** Whether the answer shows the digest. */
  readonly isDigest: boolean;
  readonly isWrite: boolean;
  /** Undefined until the store has carried it out. */
  answer: Answer | undefined;
  isAnswered: boolean;
}

/** A write that was carried out. */
export interface Written {
  readonly update: Update;
  readonly by: number;
  readonly before: Item | undefined;
  readonly after: Item;
}

interface Pending extends StoreCall {
  readonly carryOut: () => Answer;
  readonly done: (answer: Answer) => void;
}

/** A store that does what it is asked for when the test says so. */
export class ScheduledStore {
  readonly table: VirtualTable;
  /** All that it was ever asked for, by name. */
  readonly asked: string[] = [];
  readonly #onWritten: (written: Written) => void;
  readonly #onAsked: (call: StoreCall) => void;
  readonly #onAnswered: (call: StoreCall, answer: Answer) => void;
  readonly #calls = new Map<number, Pending>();
  #count = 0;

  constructor(
    options: {
      readonly mutate?: ((update: Update) => Update) | undefined;
      readonly onWritten?: (written: Written) => void;
      readonly onAsked?: (call: StoreCall) => void;
      /** Told before the caller is. */
      readonly onAnswered?: (call: StoreCall, answer: Answer) => void;
    } = {},
  ) {
    this.table = new VirtualTable(options.mutate === undefined ? {} : { mutate: options.mutate });
    this.#onWritten = options.onWritten ?? (() => {});
    this.#onAsked = options.onAsked ?? (() => {});
    this.#onAnswered = options.onAnswered ?? (() => {});
  }

  /** Calls of which something is still to come. */
  get calls(): readonly StoreCall[] {
    return [...this.#calls.values()];
  }

  reachedBy(by = 0): FleetTable {
    return {
      read: (key, done) => {
        const asked = {
          by,
          name: 'READ',
          text: () => `READ ${key.pk} ${key.sk}`,
          isDigest: showsDigest(key),
          isWrite: false,
        };
        this.#begin<ReadAnswer>(asked, () => this.table.read(key), done);
      },
      query: (pk, done) => {
        const asked = { by, name: 'QUERY', text: () => `QUERY ${pk}`, isDigest: false, isWrite: false };
        this.#begin<QueryAnswer>(asked, () => this.table.query(pk), done);
      },
      update: (update, done) => {
        const { name, key } = update;
        const asked = {
          by,
          name,
          text: () => JSON.stringify(update, plain),
          isDigest: showsDigest(key),
          isWrite: true,
        };
        this.#begin<UpdateAnswer>(asked, () => this.apply(update, by), done);
      },
    };
  }

  /** Writes at once. */
  apply(update: Update, by = -1): UpdateAnswer {
    const { item: before } = this.table.read(update.key);
    const answer = this.table.apply(update);
    if (answer.kind === 'updated') this.#onWritten({ update, by, before, after: answer.item });
    return answer;
  }

  /** Once more, where it had been already: as when an answer is lost and the caller's client repeats the call. */
  carryOut(id: number): void {
    const call = this.#get(id);
    call.answer = call.carryOut();
    if (call.isAnswered) this.#calls.delete(id);
  }

  answer(id: number): void {
    const call = this.#get(id);
    if (call.answer === undefined) throw new Error('it was not carried out');
    this.#calls.delete(id);
    this.#tell(call, call.answer);
  }

  /** Answers the next read with what was there at some time before. */
  answerWith(item: Item | undefined): void {
    const [call] = this.#calls.values();
    if (call?.name !== 'READ') throw new Error('the next call is no read');
    call.answer = { kind: 'read', item };
    this.answer(call.id);
  }

  /** Carries out and answers all that was asked, and what is asked then. */
  answerAll(): void {
    for (let [call] = this.#calls.values(); call !== undefined; [call] = this.#calls.values()) {
      if (call.answer === undefined) this.carryOut(call.id);
      if (!call.isAnswered) this.answer(call.id);
    }
  }

  /** The caller gives up; a write that was not carried out may be so later. */
  lose(id: number): void {
    const call = this.#get(id);
    if (call.answer !== undefined || !call.isWrite) this.#calls.delete(id);
    this.#tell(call, { kind: 'unavailable' });
  }

  /** It never comes to the store. */
  forget(id: number): void {
    this.#calls.delete(id);
  }

  #tell(call: Pending, answer: Answer): void {
    call.isAnswered = true;
    this.#onAnswered(call, answer);
    call.done(answer);
  }

  #get(id: number): Pending {
    const call = this.#calls.get(id);
    if (call === undefined) throw new Error(`no call ${id}`);
    return call;
  }

  #begin<One extends Answer>(
    asked: Omit<StoreCall, 'id' | 'answer' | 'isAnswered'>,
    carryOut: () => One,
    done: (answer: One | { readonly kind: 'unavailable' }) => void,
  ): void {
    const id = this.#count++;
    this.asked.push(asked.name);
    const { by, name, text, isDigest, isWrite } = asked;
    // What comes back is what this call's own `carryOut` has made.
    const tell = (answer: Answer) => done(answer as One);
    const call = {
      id,
      by,
      name,
      text,
      isDigest,
      isWrite,
      carryOut,
      done: tell,
      answer: undefined,
      isAnswered: false,
    };
    this.#calls.set(id, call);
    this.#onAsked(call);
  }
}

function showsDigest({ pk }: Key): boolean {
  return pk === digestKey.pk;
}

/** For JSON. */
export function plain(_: string, value: unknown): unknown {
  if (value instanceof Set) return [...value].sort();
  return value instanceof Map ? [...value] : value;
}
