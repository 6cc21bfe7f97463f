import type {
  FleetTable,
  Key,
  QueryAnswer,
  ReadAnswer,
  Update,
  UpdateAnswer,
} from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from './virtual-table.ts';

/** What becomes of a call. Of all but the first its caller hears `unavailable`; an update whose answer is lost happens, a late one happens later. */
export type Fate = 'answered' | 'request lost' | 'answer lost' | 'late';

interface Call {
  readonly carryOut: () => void;
  readonly answer: () => void;
  readonly giveUp: () => void;
}

/** A table whose calls wait until the test decides on what becomes of each, in any order. */
export class UnreliableTable implements FleetTable {
  readonly virtual = new VirtualTable();
  readonly #out: Call[] = [];
  readonly #late: (() => void)[] = [];

  get outstanding(): number {
    return this.#out.length;
  }

  read(key: Key, done: (answer: ReadAnswer) => void): void {
    this.#add(() => this.virtual.read(key), done);
  }

  query(pk: string, done: (answer: QueryAnswer) => void): void {
    this.#add(() => this.virtual.query(pk), done);
  }

  update(update: Update, done: (answer: UpdateAnswer) => void): void {
    this.#add(() => this.virtual.apply(update), done);
  }

  /** Decides on one of the calls that are out, if there is any. */
  settle(which: number, fate: Fate): void {
    const [call] = this.#out.splice(which % Math.max(1, this.#out.length), 1);
    if (call === undefined) return;
    switch (fate) {
      case 'answered':
        call.answer();
        break;
      case 'request lost':
        call.giveUp();
        break;
      case 'answer lost':
        call.carryOut();
        call.giveUp();
        break;
      case 'late':
        this.#late.push(call.carryOut);
        call.giveUp();
        break;
    }
  }

  /** What was late arrives. */
  deliverLate(): void {
    for (const carryOut of this.#late.splice(0)) carryOut();
  }

  #add<Answer>(carryOut: () => Answer, done: (answer: Answer | { readonly kind: 'unavailable' }) => void): void {
    this.#out.push({
      carryOut,
      answer: () => done(carryOut()),
      giveUp: () => done({ kind: 'unavailable' }),
    });
  }
}
