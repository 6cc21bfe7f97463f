import type { CasaLinguaError } from '../errors.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { LoadPriority } from './model-host.ts';
import type { LoadedWorker } from './model-loader.ts';

/** Somebody who waits for a model; is granted or refused exactly once, unless it leaves. */
export interface Waiter {
  readonly priority: LoadPriority;
  /** False: it only wants to know when the model is READY. */
  readonly wantsLease: boolean;
  readonly keepAliveMs: number | undefined;
  /** Called in the middle of a step of the scheduler: they must not call it. */
  granted(hold: Hold): void;
  refused(error: CasaLinguaError): void;
}

/** One worker's stay in memory, from the reservation until its thread has ended. */
export interface Stay {
  readonly slot: Slot;
  /** Reserved while it loads, measured from then on. */
  memoryMb: number;
  /** The loader is at work on it. */
  isLoading: boolean;
  /** Awake ms since when its end is awaited. */
  endingSince: number | undefined;
  /** Its end did not come in time: nobody waits for it any more, its memory counts until it comes. */
  isLost: boolean;
}

/** One attempt to load. */
export interface Load {
  readonly slot: Slot;
  readonly stay: Stay;
  /** Its place in the queue, should it have to go back there. */
  readonly order: number;
  bytesLoaded: number;
  /** Of these, what was on disk before: they tell nothing of the pace. */
  bytesResumed: number;
  /** Wall ms. */
  readonly startedAt: number;
  /** Awake ms. */
  readonly startedAwake: number;
  /** Awake ms of the last byte or phase. */
  progressedAwake: number;
  /** Resident MB of the process before. */
  readonly rssBeforeMb: number | undefined;
  /** It has been told to stop; what comes of it is dropped. */
  isStopped: boolean;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface Unloaded {
  readonly kind: 'UNLOADED';
}

export interface Queued {
  readonly kind: 'QUEUED';
  /** Place among equals: lower is earlier. */
  readonly order: number;
  /** Wall ms before which the next attempt must not begin; 0: at once. */
  readonly notBefore: number;
}

export interface Loading {
  readonly kind: 'DOWNLOADING' | 'INITIALIZING' | 'WARMING';
  readonly load: Load;
}

export interface Ready {
  readonly kind: 'READY';
  readonly worker: LoadedWorker;
  readonly stay: Stay;
  readonly startedAt: number;
  readonly readyAt: number;
  lastUsedAt: number;
  leases: number;
}

/**
 * Why a READY model goes: nobody used it, its `keep_alive` or its last lease is over, another wants its room, the process had
 * nearly run out of memory, an operator or the end of the host wants it gone, another version has replaced it.
 */
export type UnloadCause = 'idle' | 'keep_alive' | 'released' | 'room' | 'memory' | 'unload' | 'replaced';

/** Admits no new lease; ends with its last one, or at its deadline. */
export interface Draining {
  readonly kind: 'DRAINING';
  readonly ready: Ready;
  readonly cause: UnloadCause;
  /** Awake ms. */
  readonly deadline: number;
}

export interface Failed {
  readonly kind: 'FAILED';
  readonly failure: Failure;
  /** Wall ms before which it is not tried again; undefined: never. */
  readonly retryAt: number | undefined;
}

export type SlotState = Unloaded | Queued | Loading | Ready | Draining | Failed;

/** What the host knows of one version of a model. Only the scheduler changes it. */
export interface Slot {
  readonly key: string;
  readonly manifest: Manifest;
  /** Bytes of all files that a load needs. */
  readonly bytesTotal: number;
  state: SlotState;
  readonly waiters: Set<Waiter>;
  /** Wanted even when nobody waits: a model that is loaded at start. */
  isPreload: boolean;
  /** Attempts of the series that is on its way or has ended last. */
  attempts: number;
  /** Series of attempts in a row that failed. */
  failedSeries: number;
  lastFailure: Failure | undefined;
  /** Crashes of READY workers in a row, and the wall ms of the last. */
  crashes: number;
  crashedAt: number | undefined;
  /** Wall ms when it was unloaded because the process had nearly run out of memory. */
  recycledAt: number | undefined;
  /** Wall ms since when another version of the model is wanted. */
  replacedAt: number | undefined;
  /** What the last request that said something about it wants: 0 unloads, negative keeps. */
  keepAliveMs: number | undefined;
  /** Awake ms that its last load took. */
  lastLoadMs: number | undefined;
  /** Stays of it whose end is awaited; no load begins before they are over. */
  remains: number;
}

/** One request's hold on a READY model. */
export interface Hold {
  readonly slot: Slot;
  readonly ready: Ready;
}

export function isLoading(state: SlotState): state is Loading {
  return state.kind === 'DOWNLOADING' || state.kind === 'INITIALIZING' || state.kind === 'WARMING';
}
