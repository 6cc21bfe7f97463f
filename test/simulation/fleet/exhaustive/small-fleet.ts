import type { Verdict } from '../../../../shared/breaker/evidence.ts';
import { countActive } from '../../../../shared/fleet/breaker/active-count.ts';
import { digestKey, readEntry } from '../../../../shared/fleet/breaker/digest-entry.ts';
import { claim, force, release, settleSuccess, trip } from '../../../../shared/fleet/breaker/digest-steps.ts';
import { vote, voteWindow } from '../../../../shared/fleet/breaker/vote-record.ts';
import type { Item, Update } from '../../../../shared/fleet/table/fleet-table.ts';
import { breakerSettings } from '../../../support/breaker-settings.ts';
import { plain, ScheduledStore, type StoreCall } from '../../../support/scheduled-store.ts';
import { Memory } from './memory.ts';
import { SmallInstance } from './small-instance.ts';
import { StepChecks } from './step-checks.ts';

/** What may happen next. */
export type Choice =
  | { readonly kind: 'begin'; readonly instance: number }
  | { readonly kind: 'end'; readonly instance: number; readonly verdict: Verdict }
  /** `repeat`: once more. `lose`: its caller gets no answer. */
  | { readonly kind: 'carry out' | 'answer' | 'lose' | 'repeat'; readonly call: number }
  /** So much time that what is open, held or ramping is so for long enough. */
  | { readonly kind: 'pass' }
  /** An operator reads what the breaker is, and decides some time later. */
  | { readonly kind: 'look' }
  | { readonly kind: 'decide' };

/** What the breaker is in when it begins. */
export const beginnings = ['closed', 'open', 'half open', 'ramp'] as const;
export type Beginning = (typeof beginnings)[number];

/** How often what is rare may happen. */
export interface Bounds {
  /** Answers that are lost, calls that are late, writes that are repeated. */
  readonly faults: number;
  readonly passes: number;
  /** Words of an operator. */
  readonly words: number;
}

export interface SmallFleetOptions {
  readonly beginning: Beginning;
  readonly bounds: Bounds;
  readonly mutate?: ((update: Update) => Update) | undefined;
}

const INSTANCES = 3;
const BREAKER = 'm';
const STATE_MS = 4_000;
/** Longer than any state lasts that is not an opening again, and shorter than what is believed of votes. */
const PASS_MS = 4_800;
/** Of instances that are no more, at the beginning. */
const GHOST = 'ghost';
const settings = breakerSettings({
  // One bad call makes a vote, and its own breaker never opens: this is about the fleet's.
  rule: 'rate',
  minimumCalls: 1_000,
  failureRatePercent: 0.1,
  resetMs: STATE_MS,
  halfOpenSuccesses: 2,
  probeLeaseMs: STATE_MS,
  rampMs: STATE_MS,
});

/** Three instances and an operator, who do what the explorer chooses, one step at a time. */
export class SmallFleet {
  readonly checks = new StepChecks(BREAKER);
  readonly #store: ScheduledStore;
  readonly #instances: readonly SmallInstance[];
  readonly #told: Memory[] = [];
  /** The beginning of a window of votes. */
  #now = 1_699_999_980_000;
  #left: Bounds;
  #seen: Item | undefined | 'nothing' = 'nothing';

  constructor({ beginning, bounds, mutate }: SmallFleetOptions) {
    this.#left = bounds;
    this.#store = new ScheduledStore({
      mutate,
      onWritten: (written) => this.checks.written(written, nameOf(written.by), this.#now),
      onAsked: (call) => this.#told[call.by]?.ask(call, this.#now),
      onAnswered: (call, answer) => this.#told[call.by]?.hear(call, answer, this.#now),
    });
    this.#prepare(beginning);
    const { item } = this.#store.table.read(digestKey);
    const clock = { wall: () => this.#now, elapsed: () => this.#now };
    this.#instances = Array.from({ length: INSTANCES }, (_, index) => {
      this.#told.push(new Memory(BREAKER, item, this.#now));
      return new SmallInstance({
        id: nameOf(index),
        breaker: BREAKER,
        table: this.#store.reachedBy(index),
        clock,
        settings,
        ttlMs: STATE_MS,
        checks: this.checks,
        item,
      });
    });
  }

  choices(): readonly Choice[] {
    const { faults, passes, words } = this.#left;
    const all: Choice[] = [];
    this.#instances.forEach((one, instance) => {
      if (one.isIdle) all.push({ kind: 'begin', instance });
      for (const verdict of one.outcomes) all.push({ kind: 'end', instance, verdict });
    });
    for (const call of this.#store.calls) all.push(...choicesOf(call, faults > 0));
    if (passes > 0) all.push({ kind: 'pass' });
    if (words > 0) all.push({ kind: this.#seen === 'nothing' ? 'look' : 'decide' });
    return all;
  }

  take(choice: Choice): void {
    switch (choice.kind) {
      case 'begin':
        this.#instances[choice.instance]?.begin();
        break;
      case 'end':
        this.#instances[choice.instance]?.end(choice.verdict);
        break;
      case 'carry out':
        this.#store.carryOut(choice.call);
        break;
      case 'answer':
        this.#store.answer(choice.call);
        break;
      case 'repeat':
        this.#left = { ...this.#left, faults: this.#left.faults - 1 };
        this.#store.carryOut(choice.call);
        break;
      case 'lose':
        this.#left = { ...this.#left, faults: this.#left.faults - 1 };
        this.#store.lose(choice.call);
        break;
      case 'pass':
        this.#left = { ...this.#left, passes: this.#left.passes - 1 };
        this.#now += PASS_MS;
        break;
      case 'look':
        this.#seen = this.#store.table.read(digestKey).item;
        break;
      case 'decide':
        this.#left = { ...this.#left, words: this.#left.words - 1 };
        this.#decide();
        break;
    }
  }

  /** Two fleets of one fingerprint go on alike, whichever instance is which. */
  fingerprint(): string {
    const names = this.#instances.map((_, index) => nameOf(index));
    const calls = this.#store.calls;
    const parts = this.#instances.map((one, index) => {
      const own = calls
        .filter(({ by }) => by === index)
        .map((call) => {
          const { text, isAnswered, answer } = call;
          return `${this.#told[index]?.askedAt(call)} ${text()} ${isAnswered} ${JSON.stringify(answer, plain)}`;
        })
        .sort();
      const text = `${one.fingerprint()}|${this.#told[index]?.fingerprint()}|${own}`;
      return {
        name: names[index] ?? '',
        text,
        shape: text.replaceAll(names[index] ?? '', 'me').replaceAll(/i\d/g, 'other'),
      };
    });
    parts.sort((a, b) => (a.shape < b.shape ? -1 : 1));
    const { faults, passes, words } = this.#left;
    const digest = JSON.stringify(this.#store.table.read(digestKey).item);
    const seen = this.#seen === 'nothing' ? this.#seen : JSON.stringify(this.#seen);
    const all = `${faults} ${passes} ${words}\n${digest}\n${seen}\n${parts.map(({ text }) => text).join('\n')}`;
    return renamed(
      all,
      parts.map(({ name }) => name),
    );
  }

  #decide(): void {
    const item = this.#seen === 'nothing' ? undefined : this.#seen;
    this.#seen = 'nothing';
    const { state } = readEntry(item, BREAKER);
    const isForced = state.kind === 'FORCED_OPEN';
    const word = { kind: 'FORCED_OPEN', by: 'ops', why: 'a test', until: this.#now + 1_000_000 } as const;
    this.#store.apply(
      isForced ? release(BREAKER, state) : force(BREAKER, word, { epoch: state.epoch, now: this.#now }),
      -1,
    );
  }

  /** What is there before anything happens: enough votes but one, and the breaker as it is to begin. */
  #prepare(beginning: Beginning): void {
    const now = this.#now;
    const asked = Array.from({ length: INSTANCES }, () => [BREAKER]);
    const count = countActive(asked, [], now);
    const steps: Update[] = count === undefined ? [] : [count];
    for (let epoch = 0; epoch < 4; epoch++) steps.push(vote(BREAKER, epoch, voteWindow(now), GHOST));
    const open = { kind: 'OPEN', epoch: 1, at: now - 2 * STATE_MS, openMs: STATE_MS, claims: 0 } as const;
    const probe = { id: `${GHOST}-1`, owner: GHOST, leaseMs: STATE_MS };
    const held = { epoch: 1, id: probe.id, successes: 1, openMs: STATE_MS, openings: undefined };
    if (beginning !== 'closed') steps.push(trip(BREAKER, { epoch: 0, now: open.at, openMs: STATE_MS, openings: 1 }));
    if (beginning === 'half open' || beginning === 'ramp') steps.push(claim(BREAKER, open, { probe, now }));
    if (beginning === 'ramp') steps.push(settleSuccess(BREAKER, held, { needed: settings.halfOpenSuccesses, now }));
    for (const step of steps) this.#store.apply(step, -1);
  }
}

function choicesOf({ id, isWrite, isAnswered, answer }: StoreCall, mayFail: boolean): readonly Choice[] {
  const one = (kind: 'carry out' | 'answer' | 'lose' | 'repeat'): Choice => ({ kind, call: id });
  if (answer === undefined) return [one('carry out'), ...(mayFail && !isAnswered ? [one('lose')] : [])];
  return [one('answer'), ...(mayFail ? [one('lose'), ...(isWrite ? [one('repeat')] : [])] : [])];
}

/** -1: nobody of the fleet. */
function nameOf(instance: number): string {
  return instance < 0 ? GHOST : `i${instance}`;
}

/** Instances by their order here, and claims by their first appearance, so that it does not matter how they are called. */
function renamed(text: string, order: readonly string[]): string {
  const claims = new Map<string, string>();
  return text
    .replaceAll(/i\d-\d+/g, (id) => {
      const known = claims.get(id) ?? `c${claims.size}`;
      claims.set(id, known);
      return known;
    })
    .replaceAll(/i\d/g, (name) => `x${order.indexOf(name)}`);
}
