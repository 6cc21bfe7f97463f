import { nextPollMs } from './poll-schedule.ts';

/** What came of one reading. */
export type Outcome =
  | { readonly kind: 'read' }
  | { readonly kind: 'failed'; readonly retryAfterMs: number }
  /** It needs a key: asking again changes nothing. */
  | { readonly kind: 'locked' };

export interface PollerPorts {
  /** Reads and shows. Its outcome counts only while `signal` is not aborted. Does not reject. */
  readonly read: (signal: AbortSignal) => Promise<Outcome>;
  readonly situation: () => { readonly isBusy: boolean; readonly isHidden: boolean };
  /** Runs it once after so many ms. @returns takes that back */
  readonly after: (ms: number, run: () => void) => () => void;
  /** Ms of any clock that goes on. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

type State =
  | { readonly kind: 'reading'; readonly abort: AbortController; readonly again: boolean }
  | { readonly kind: 'waiting'; readonly cancel: () => void; readonly at: number }
  /** For a key. */
  | { readonly kind: 'locked' };

/** Reads again and again, one reading at a time: soon where something happens, seldom where nobody looks or it fails. */
export class Poller {
  readonly #ports: PollerPorts;
  #state: State = { kind: 'locked' };
  #failures = 0;
  #retryAfterMs = 0;

  constructor(ports: PollerPorts) {
    this.#ports = ports;
  }

  /** Readings in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Ms until the next reading begins; undefined while one is under way, or none is planned. */
  get nextInMs(): number | undefined {
    return this.#state.kind === 'waiting' ? Math.max(0, this.#state.at - this.#ports.now()) : undefined;
  }

  get isLocked(): boolean {
    return this.#state.kind === 'locked';
  }

  /** Begins, or begins anew with another key: what is under way is given up. */
  restart(): void {
    this.#end();
    this.#failures = 0;
    this.#retryAfterMs = 0;
    this.#read();
  }

  /** Reads now; after the reading that is under way, since that may not have seen what has just happened. */
  readNow(): void {
    switch (this.#state.kind) {
      case 'reading':
        this.#state = { ...this.#state, again: true };
        return;
      case 'waiting':
        this.#state.cancel();
        this.#read();
        return;
      case 'locked':
        return;
    }
  }

  /** The situation is another one: the wait is as long as it would be had it begun in it. */
  reconsider(): void {
    if (this.#state.kind !== 'waiting') return;
    const wait = this.#waitMs();
    const left = this.#state.at - this.#ports.now();
    if (wait >= left) return;
    this.#state.cancel();
    this.#wait(wait);
  }

  #read(): void {
    const abort = new AbortController();
    this.#state = { kind: 'reading', abort, again: false };
    void this.#ports.read(abort.signal).then((outcome) => {
      if (!abort.signal.aborted) this.#ended(outcome);
    });
  }

  #ended(outcome: Outcome): void {
    const isWantedAgain = this.#state.kind === 'reading' && this.#state.again;
    switch (outcome.kind) {
      case 'locked':
        this.#state = { kind: 'locked' };
        return;
      case 'failed':
        this.#failures += 1;
        this.#retryAfterMs = outcome.retryAfterMs;
        this.#wait(this.#waitMs());
        return;
      case 'read':
        this.#failures = 0;
        this.#retryAfterMs = 0;
        if (isWantedAgain) this.#read();
        else this.#wait(this.#waitMs());
        return;
    }
  }

  #wait(ms: number): void {
    const cancel = this.#ports.after(ms, () => this.#read());
    this.#state = { kind: 'waiting', cancel, at: this.#ports.now() + ms };
  }

  #waitMs(): number {
    const situation = { ...this.#ports.situation(), failures: this.#failures, retryAfterMs: this.#retryAfterMs };
    return nextPollMs(situation, this.#ports.random());
  }

  #end(): void {
    if (this.#state.kind === 'reading') this.#state.abort.abort();
    if (this.#state.kind === 'waiting') this.#state.cancel();
  }
}
