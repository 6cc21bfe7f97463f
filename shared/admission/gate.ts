import type { AdmissionSettings, BatchingSettings } from '../config/admission.ts';
import type { LoadPriority } from '../host/model-host.ts';
import { type Manifest, modelKey } from '../repository/manifest.ts';
import { batchKey, type RunResult } from '../runtime/batch.ts';
import { InferenceFailedError } from '../runtime/errors.ts';
import type { TaskInput, TaskOutput } from '../runtime/tasks.ts';
import type { AdmissionReport } from './admission-report.ts';
import type { ShedError } from './errors.ts';
import type { Flight, Job } from './job.ts';
import { charactersOf, piecesOf } from './pieces.ts';
import { Ride, type Seat } from './ride.ts';
import { AdmissionScheduler } from './scheduler.ts';

export interface GateOptions {
  readonly settings: AdmissionSettings;
  /** Whether requests meet in this process: those that do share runs, if the settings say nothing else. */
  readonly servesMany: boolean;
  /** Replaces the manifests' `generation.numBeams` where it is given. */
  readonly numBeams?: number | undefined;
  /** Ms since the epoch. */
  readonly clock: { now(): number };
  /** 0 up to 1. */
  readonly random: () => number;
  /** Calls back once, after so many ms. */
  readonly after: (ms: number, run: () => void) => void;
}

/** What is to be let in. */
export interface Entry {
  readonly manifest: Manifest;
  readonly input: TaskInput;
  /** Whether the model is READY. */
  readonly isLoaded: boolean;
  readonly priority: LoadPriority;
  /** Ms since the epoch; undefined: the caller gave none. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal;
  /** Of the request's texts in later runs; default 0. */
  readonly laterCharacters?: number;
  /** The same request's run before this one, whose place it takes: it is not refused. */
  readonly continues?: Ride | undefined;
}

/** The gate over real runs and real time: carries out what the scheduler decides, and tells it what comes of it. */
export class Gate {
  readonly #scheduler: AdmissionScheduler;
  readonly #rides = new WeakMap<Job, Ride>();
  readonly #numBeams: number | undefined;
  readonly #batching: BatchingSettings;
  readonly #isBatching: boolean;

  constructor({ settings, servesMany, numBeams, clock, random, after }: GateOptions) {
    const { mode } = settings.batching;
    this.#numBeams = numBeams;
    this.#batching = settings.batching;
    this.#isBatching = mode === 'on' || (mode === 'auto' && servesMany);
    this.#scheduler = new AdmissionScheduler({
      settings,
      isBatching: this.#isBatching,
      clock,
      random,
      effects: {
        // What comes of it reaches the scheduler by promises, in later steps.
        start: (flight) => void this.#fly(flight),
        refused: (job, error) => this.#rides.get(job)?.refused(error),
        lookAt: (time) => after(time - clock.now(), () => this.#scheduler.tick()),
      },
    });
  }

  /** The runs that a request is made in, one after the other: of one that may wait, no run keeps the others long. */
  pieces<Input extends TaskInput>(
    manifest: Manifest,
    input: Input,
    priority: LoadPriority,
  ): readonly [Input, ...Input[]] {
    if (!this.#isBatching || priority === 'interactive') return [input];
    return piecesOf(input, this.#batching, this.#beams(manifest, input));
  }

  /**
   * Lets it in, which whoever asked must leave again.
   * @throws ShedError where it could not be through in time, or as many wait as may
   */
  enter({ manifest, input, isLoaded, priority, deadline, signal, laterCharacters = 0, continues }: Entry): Ride {
    const job = this.#scheduler.arrive({
      model: modelKey(manifest),
      isLoaded,
      priority,
      kind: batchKey(input),
      texts: input.texts.length,
      characters: Math.max(1, charactersOf(input)),
      beams: this.#beams(manifest, input),
      laterCharacters,
      continues: continues?.job,
      deadline,
    });
    const ride = new Ride(input, job, this.#scheduler, signal);
    this.#rides.set(job, ride);
    return ride;
  }

  /**
   * Why no request of these models (`id@version`) could be through by the deadline (ms since the epoch), not even the
   * smallest; undefined: one could. Takes no longer the more wait.
   */
  earlyRefusal(models: Iterable<string>, deadline: number | undefined): ShedError | undefined {
    return this.#scheduler.earlyRefusal(models, deadline);
  }

  /** Whether a model is at work. */
  get isAtWork(): boolean {
    return this.#scheduler.isAtWork;
  }

  report(): AdmissionReport {
    return this.#scheduler.report();
  }

  /** Rows of the decoder for each text. */
  #beams(manifest: Manifest, input: TaskInput): number {
    if (input.task !== 'translation' || manifest.task !== 'translation') return 1;
    return Math.max(input.numBeams ?? this.#numBeams ?? manifest.generation.numBeams, 1 + (input.alternatives ?? 0));
  }

  async #fly(flight: Flight): Promise<void> {
    const seats: Seat[] = [];
    let isBoarding = true;
    const outs = Array.from(flight.jobs, (job) =>
      this.#rides.get(job)?.takeOff((seat) => {
        if (isBoarding) seats.push(seat);
        // It had to ask before whether it may run at all.
        else void runAlone(seat);
      }),
    );
    isBoarding = false;
    const computeMs = await runTogether(seats);
    await Promise.all(outs);
    this.#scheduler.ended(flight, computeMs);
  }
}

/** @returns ms that it took; undefined: the thread died, or nothing was to be run */
async function runTogether(seats: readonly Seat[]): Promise<number | undefined> {
  const [first] = seats;
  if (first === undefined) return undefined;
  const { results, ended } = first.lease.runBatch(seats.map(({ ride, signal }) => ({ input: ride.input, signal })));
  results.forEach((result, index) => {
    const seat = seats[index];
    if (seat !== undefined) void hand(seat, result, results.length > 1);
  });
  return ended;
}

async function hand(seat: Seat, result: Promise<RunResult<TaskOutput>>, isShared: boolean): Promise<void> {
  try {
    seat.resolve((await result).output);
  } catch (thrown) {
    // One that no engine can do must not take its neighbours with it.
    if (isShared && thrown instanceof InferenceFailedError) seat.ride.again(seat);
    else seat.reject(thrown);
  }
}

async function runAlone({ ride, lease, signal, resolve, reject }: Seat): Promise<void> {
  try {
    resolve((await lease.run(ride.input, { signal })).output);
  } catch (thrown) {
    reject(thrown);
  }
}
