import { type Moment, momentOf, mostSince } from './moment.ts';
import type { PermitGround } from './permit-ground.ts';

/** Calls back once, after a time: by a timer, or at the `wake` after a freeze in which the timer stood still. */
export class Alarm {
  readonly #ground: Pick<PermitGround, 'clock' | 'after'>;
  readonly #run: () => void;
  #set: { readonly since: Moment; readonly ms: number; readonly cancel: () => void } | undefined;

  constructor(ground: Pick<PermitGround, 'clock' | 'after'>, run: () => void) {
    this.#ground = ground;
    this.#run = run;
  }

  /** Replaces what it was set to before. */
  set(ms: number): void {
    this.clear();
    const cancel = this.#ground.after(Math.max(0, ms), () => this.#ring());
    this.#set = { since: momentOf(this.#ground.clock), ms, cancel };
  }

  clear(): void {
    this.#set?.cancel();
    this.#set = undefined;
  }

  wake(): void {
    if (this.#set !== undefined && mostSince(this.#set.since, this.#ground.clock) >= this.#set.ms) this.#ring();
  }

  #ring(): void {
    this.clear();
    this.#run();
  }
}
