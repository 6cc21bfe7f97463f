import type { LoadPriority } from '../host/model-host.ts';

/** What a request says of its run before it is let in. */
export interface Arrival {
  /** `id@version`. */
  readonly model: string;
  /** Whether the model is READY: how long a load takes is not the gate's to judge. */
  readonly isLoaded: boolean;
  readonly priority: LoadPriority;
  /** Those with the same may share a run. */
  readonly kind: string;
  readonly texts: number;
  /** Of all texts; UTF-16 code units. */
  readonly characters: number;
  /** Rows of the decoder for each text. */
  readonly beams: number;
  /** Of the same request, in runs after this one. */
  readonly laterCharacters: number;
  /** The same request's run before this one: it was let in with it, and has its place. */
  readonly continues?: Job | undefined;
  /** Wall clock, ms since the epoch; undefined: the caller gave none. */
  readonly deadline: number | undefined;
}

/** Its lease is not there yet, perhaps since its model is being loaded. */
export interface Preparing {
  readonly kind: 'PREPARING';
}

export interface Waiting {
  readonly kind: 'WAITING';
}

export interface Running {
  readonly kind: 'RUNNING';
  readonly flight: Flight;
}

/** It is through, or gone. */
export interface Over {
  readonly kind: 'OVER';
}

/** One request in the gate. */
export interface Job {
  readonly arrival: Arrival;
  readonly arrivedAt: number;
  /** Its place among those who wait. */
  readonly order: number;
  /** Ms that it adds to the lane's work, as of its arrival. */
  readonly shareMs: number;
  /** The same of its request's later runs. */
  readonly laterMs: number;
  /** Ms from its arrival to its end; undefined where nothing was known to tell by. */
  readonly predictedMs: number | undefined;
  /** Ms since the epoch: the caller's, or how long it may wait for its turn where the caller gave none. */
  deadline: number;
  /** When it began to wait for its turn. */
  waitingSince: number;
  /** It must not share a run: the one that it shared has failed. */
  isAlone: boolean;
  /** What will run it: jobs share a run where this is the same. */
  worker: object | undefined;
  state: Preparing | Waiting | Running | Over;
}

/** One run, with whoever shares it. */
export interface Flight {
  /** `id@version`. */
  readonly model: string;
  /** Those who are still in it. */
  readonly jobs: Set<Job>;
  /** Those who were at its start. */
  readonly size: number;
  readonly characters: number;
  readonly beams: number;
  /** Of the thread, less what those who left had of it. */
  expectedMs: number;
  readonly startedAt: number;
  /** Nobody has left it. */
  isWhole: boolean;
}
