import { CasaLinguaError } from '../errors.ts';
import type { Lease } from '../host/model-host.ts';
import type { TaskInput, TaskOutput } from '../runtime/tasks.ts';
import type { Job } from './job.ts';
import type { AdmissionScheduler } from './scheduler.ts';

/** Makes the run, its turn having come. @throws what `Lease.run` throws */
export type RunInTurn = (signal: AbortSignal) => Promise<TaskOutput>;

/** What is around a request's run, a breaker say: calls it at most once, and at once where it can. */
export type AroundRun = (run: RunInTurn) => Promise<TaskOutput>;

/** A request's part in a flight. */
export interface Seat extends Settle {
  readonly ride: Ride;
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

/** Takes it along in the run that is being made up, or in one of its own where that has begun. */
type Board = (seat: Seat) => void;

interface Settle {
  resolve(output: TaskOutput): void;
  reject(thrown: unknown): void;
}

/** One request's way through the gate: it prepares, waits for its turn, and runs, perhaps with others. */
export class Ride {
  readonly input: TaskInput;
  readonly job: Job;
  readonly #scheduler: AdmissionScheduler;
  readonly #signal: AbortSignal;
  /** What it does when its turn has come. */
  #begin: (board: Board) => void = () => undefined;
  #awaited: Settle | undefined;
  /** Its part in a run that has failed, while it waits for one of its own. */
  #seat: Seat | undefined;
  #out: () => void = () => undefined;

  constructor(input: TaskInput, job: Job, scheduler: AdmissionScheduler, signal: AbortSignal) {
    this.input = input;
    this.job = job;
    this.#scheduler = scheduler;
    this.#signal = signal;
  }

  /**
   * Waits for its turn, and has `around` make the run then.
   * @throws ShedError when it makes way for others, WaitExpiredError, the signal's reason, and what `around` throws
   */
  async run(lease: Lease, around: AroundRun): Promise<TaskOutput> {
    this.#signal.throwIfAborted();
    const giveUp = () => {
      // Who is in a run hears of it from there.
      if (this.job.state.kind !== 'WAITING') return;
      this.leave();
      this.refused(this.#signal.reason);
    };
    this.#signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await new Promise<TaskOutput>((resolve, reject) => {
        this.#awaited = { resolve, reject };
        this.#begin = (board) => this.#runIn(board, lease, around);
        this.#scheduler.ready(this.job, lease.worker);
      });
    } finally {
      this.#signal.removeEventListener('abort', giveUp);
    }
  }

  /** It is not in the gate any more; after its end that does nothing. */
  leave(): void {
    const reason: unknown = this.#signal.reason;
    this.#scheduler.leave(this.job, reason instanceof CasaLinguaError && reason.code === 'DEADLINE_EXCEEDED');
  }

  /** It does not get its turn. */
  refused(error: unknown): void {
    // Who is around a run that has begun hears of its end first.
    (this.#seat ?? this.#awaited)?.reject(error);
  }

  /** Its turn has come. @returns when it has no part in this flight any more; never rejects */
  takeOff(board: Board): Promise<void> {
    const out = new Promise<void>((resolve) => {
      this.#out = resolve;
    });
    if (this.#seat === undefined) this.#begin(board);
    else board(this.#seat);
    return out;
  }

  /** The run that it shared has failed: what it comes to alone is to be seen. */
  again(seat: Seat): void {
    this.#seat = seat;
    this.#out();
    this.#scheduler.again(this.job);
  }

  #runIn(board: Board, lease: Lease, around: AroundRun): void {
    const inTurn: RunInTurn = (signal) =>
      new Promise((resolve, reject) => board({ ride: this, lease, signal, resolve, reject }));
    around(inTurn).then(
      (output) => {
        this.#scheduler.finish(this.job);
        this.#awaited?.resolve(output);
        this.#out();
      },
      (thrown: unknown) => {
        this.leave();
        this.#awaited?.reject(thrown);
        this.#out();
      },
    );
  }
}
