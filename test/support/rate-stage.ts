import {
  type LimitedCaller,
  type PerMinute,
  RateLimits,
  type Verdict,
} from '../../shared/fleet/rate-limits/rate-limits.ts';
import type { Update, UpdateAnswer } from '../../shared/fleet/table/fleet-table.ts';
import { VirtualTable } from './virtual-table.ts';

/** What becomes of a call to the store. */
export type Fate = 'answered' | 'call lost' | 'answer lost';

interface Call {
  readonly instance: number;
  readonly settle: (fate: Fate) => void;
}

/** Instances over one table in memory, whose calls wait until the test decides on each. */
export class RateStage {
  now = 1_000_000_000_000;
  /** Calls that were made, refused and lost ones included. */
  calls = 0;
  readonly table = new VirtualTable();
  readonly #instances: readonly RateLimits[];
  readonly #out: Call[] = [];

  constructor(instances: number) {
    this.#instances = Array.from({ length: instances }, (_, instance) => {
      const update = (wanted: Update, done: (answer: UpdateAnswer) => void) => {
        this.calls += 1;
        const settle = (fate: Fate) => {
          const answer = fate === 'call lost' ? undefined : this.table.apply(wanted);
          done(fate === 'answered' && answer !== undefined ? answer : { kind: 'unavailable' });
        };
        this.#out.push({ instance, settle });
      };
      return new RateLimits({ table: { update }, clock: { now: () => this.now } });
    });
  }

  get outstanding(): number {
    return this.#out.length;
  }

  take(
    instance: number,
    perMinute: PerMinute,
    used: { requests: number; characters: number },
    more: Partial<LimitedCaller> = {},
  ): Promise<Verdict> {
    const limits = this.#instances[instance % this.#instances.length];
    if (limits === undefined) throw new Error('there is no instance');
    return limits.take({ subject: 'key:x', perMinute, isShared: true, ...more }, used);
  }

  /** Decides on one of the calls that are out, if there is any, and lets what follows happen. */
  async settle(which: number, fate: Fate): Promise<void> {
    const [call] = this.#out.splice(which % Math.max(1, this.#out.length), 1);
    call?.settle(fate);
    await flushed();
  }

  async settleAll(fate: Fate = 'answered'): Promise<void> {
    while (this.#out.length > 0) await this.settle(0, fate);
  }
}

/** Whatever only waits for promises has happened. */
export async function flushed(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A table in memory that answers in a later step, as a store does. */
export function answeringTable(table = new VirtualTable()): {
  update(update: Update, done: (answer: UpdateAnswer) => void): void;
} {
  return {
    update: (update, done) => {
      const answer = table.apply(update);
      queueMicrotask(() => done(answer));
    },
  };
}
