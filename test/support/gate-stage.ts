import { ShedError, type WaitExpiredError } from '../../shared/admission/errors.ts';
import type { Arrival, Flight, Job } from '../../shared/admission/job.ts';
import { AdmissionScheduler } from '../../shared/admission/scheduler.ts';
import type { AdmissionSettings } from '../../shared/config/admission.ts';

/** What a request says where a test does not: one text of ten characters for a model that is READY, without a deadline. */
export type Asking = Partial<Omit<Arrival, 'deadline'>> & {
  /** Ms from now. */
  readonly within?: number;
  /** What will run it. */
  readonly worker?: object;
  /** False: its lease is not there yet. */
  readonly isReady?: boolean;
};

/** The gate's scheduler with a clock and runs that the test moves by hand. */
export class GateStage {
  readonly scheduler: AdmissionScheduler;
  /** Under way, in the order in which they began. */
  readonly flights: Flight[] = [];
  readonly refusals = new Map<Job, ShedError | WaitExpiredError>();
  readonly looks: number[] = [];
  readonly #worker = {};
  now = 1_000_000;
  random = 0;

  constructor(settings: AdmissionSettings, { isBatching = false } = {}) {
    this.scheduler = new AdmissionScheduler({
      settings,
      isBatching,
      clock: { now: () => this.now },
      random: () => this.random,
      effects: {
        start: (flight) => this.flights.push(flight),
        refused: (job, error) => {
          if (this.refusals.has(job)) throw new Error('refused twice');
          this.refusals.set(job, error);
        },
        lookAt: (time) => this.looks.push(time),
      },
    });
  }

  /** @throws ShedError */
  ask({ within, worker = this.#worker, isReady = true, ...arrival }: Asking = {}): Job {
    const job = this.scheduler.arrive({
      model: 'm@1',
      isLoaded: true,
      priority: 'interactive',
      kind: 'en-es',
      texts: 1,
      characters: 10,
      beams: 1,
      laterCharacters: 0,
      deadline: within === undefined ? undefined : this.now + within,
      ...arrival,
    });
    if (isReady) this.scheduler.ready(job, worker);
    return job;
  }

  askAll(number: number, asking: Asking = {}): Job[] {
    return Array.from({ length: number }, () => this.ask(asking));
  }

  /** The reason for which it is not let in; undefined: it is. */
  refusalOf(asking: Asking): ShedError | undefined {
    try {
      this.ask(asking);
      return undefined;
    } catch (thrown) {
      return thrown as ShedError;
    }
  }

  /** The least time, in ms, in which one more would be let in. */
  leastMs(): number {
    for (let within = 0.25; ; within += 0.25) {
      try {
        this.scheduler.leave(this.ask({ within, isReady: false }));
        return within;
      } catch (thrown) {
        if (!(thrown instanceof ShedError)) throw thrown;
      }
    }
  }

  /** The run that began first comes to its end, after so many ms, and answers all who are in it. */
  land(computeMs = 10): Flight {
    const flight = this.flights.shift();
    if (flight === undefined) throw new Error('nothing runs');
    this.now += computeMs;
    for (const job of [...flight.jobs]) this.scheduler.finish(job);
    this.scheduler.ended(flight, computeMs);
    return flight;
  }

  /** Runs of ten characters that take so long, one after the other: enough to tell by. */
  teach(computeMs = 10, asking: Asking = {}): this {
    for (let run = 0; run < 30; run++) {
      this.ask(asking);
      this.land(computeMs);
    }
    return this;
  }

  /** Jobs of each run under way. */
  get aboard(): (readonly Job[])[] {
    return this.flights.map(({ jobs }) => [...jobs]);
  }
}
