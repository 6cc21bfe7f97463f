import type { Update, UpdateAnswer } from '../table/fleet-table.ts';
import { Alarm } from './alarm.ts';
import { type Moment, momentOf, mostSince } from './moment.ts';
import { around, type PermitGround, trustMs } from './permit-ground.ts';
import { type HeldPermit, release, renew } from './permit-steps.ts';

type State =
  | { readonly kind: 'held'; readonly lost: () => void }
  | { readonly kind: 'given back'; readonly since: Moment }
  | { readonly kind: 'over' };

/**
 * One permit from the moment in which the store has given it: renewed at a third of its lease, until it is given back, refused
 * to it, or too old to be trusted. Its calls come one after the other.
 */
export class PermitHolder {
  readonly #permit: HeldPermit;
  readonly #ground: PermitGround;
  readonly #ended: () => void;
  readonly #next: Alarm;
  readonly #expiry: Alarm;
  #state: State;
  #renewals = 0;
  /** When its last good renewal, or its ACQUIRE, was sent. */
  #goodSince: Moment;
  #isOut = false;

  /**
   * @param sentAt of the ACQUIRE
   * @param ended nothing more will come of it
   */
  constructor(
    permit: HeldPermit,
    sentAt: Moment,
    { ground, lost, ended }: { ground: PermitGround; lost: () => void; ended: () => void },
  ) {
    this.#permit = permit;
    this.#goodSince = sentAt;
    this.#ground = ground;
    this.#ended = ended;
    this.#state = { kind: 'held', lost };
    this.#next = new Alarm(ground, () => this.#send());
    this.#expiry = new Alarm(ground, () => this.#check());
    this.#plan();
  }

  /** Whether it is held, and nobody else can have it yet. */
  get isTrusted(): boolean {
    return this.#state.kind === 'held' && mostSince(this.#goodSince, this.#ground.clock) <= trustMs(this.#ground.times);
  }

  /** Tells `lost` no more. */
  release(): void {
    if (this.#state.kind !== 'held') return;
    this.#state = { kind: 'given back', since: momentOf(this.#ground.clock) };
    this.#expiry.clear();
    this.#next.clear();
    if (!this.#isOut) this.#send();
  }

  wake(): void {
    this.#check();
    this.#next.wake();
  }

  #plan(): void {
    const { clock, times } = this.#ground;
    const elapsed = mostSince(this.#goodSince, clock);
    this.#next.set(times.leaseMs / 3 - elapsed);
    // In the first ms in which it is not trusted any more.
    this.#expiry.set(trustMs(times) + 1 - elapsed);
  }

  /** @returns whether it is held and trusted */
  #check(): boolean {
    const state = this.#state;
    if (state.kind !== 'held') return false;
    if (this.isTrusted) return true;
    // If it is still there, the next need not wait for its lease.
    this.release();
    state.lost();
    return false;
  }

  #send(): void {
    const state = this.#state;
    switch (state.kind) {
      case 'held':
        this.#renew();
        return;
      case 'given back':
        this.#giveBack(state.since);
        return;
      case 'over':
        return;
    }
  }

  #renew(): void {
    const sentAt = momentOf(this.#ground.clock);
    this.#call(renew(this.#permit, ++this.#renewals), (answer) => {
      const state = this.#state;
      if (answer.kind === 'refused') {
        this.#end();
        if (state.kind === 'held') state.lost();
      } else if (state.kind !== 'held') {
        this.#send();
      } else if (answer.kind === 'updated') {
        this.#goodSince = sentAt;
        if (this.#check()) this.#plan();
      } else if (this.#check()) {
        this.#next.set(around(this.#ground.times.retryMs, this.#ground.random));
      }
    });
  }

  /** @param since after a lease others take it over, so that it need not be told any more */
  #giveBack(since: Moment): void {
    this.#call(release(this.#permit), (answer) => {
      const { clock, times, random } = this.#ground;
      if (answer.kind === 'unavailable' && mostSince(since, clock) < times.leaseMs) {
        this.#next.set(around(times.retryMs, random));
      } else {
        this.#end();
      }
    });
  }

  #call(update: Update, done: (answer: UpdateAnswer) => void): void {
    this.#isOut = true;
    this.#ground.table.update(update, (answer) => {
      this.#isOut = false;
      done(answer);
    });
  }

  #end(): void {
    this.#state = { kind: 'over' };
    this.#next.clear();
    this.#expiry.clear();
    this.#ended();
  }
}
