import type { ActiveVersionReader } from '../repository/active-version-reader.ts';

/** `pk=MODEL#<id>, sk=ACTIVE`. */
export interface ActiveVersionRecord {
  readonly version: string;
  /** Grows by one with every change. */
  readonly seq: number;
  readonly by: string;
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** The version before; undefined at the first. */
  readonly previous: string | undefined;
  /** The id of the request that made this change. */
  readonly request: string;
}

export interface Activation {
  readonly id: string;
  readonly version: string;
  readonly by: string;
  /** Unique to this wish, and the same over every repetition of it: by this a lost answer is recognised. */
  readonly request: string;
  /** The `seq` that is to be replaced; 0 when there is no record yet. */
  readonly expectedSeq: number;
}

export interface ActivationResult {
  readonly record: ActiveVersionRecord;
  /** Whether the digest's change counter could be raised. If not, instances learn of the change by their own refresh. */
  readonly announced: boolean;
}

/** Which version of a model is active, for the whole fleet. Every method throws StoreUnavailableError or StoreRefusedError. */
export interface ActiveVersions extends ActiveVersionReader {
  read(ids: readonly string[], options?: { signal?: AbortSignal }): Promise<ReadonlyMap<string, ActiveVersionRecord>>;
  /** A consistent read of one model; undefined when nothing is active. */
  current(id: string): Promise<ActiveVersionRecord | undefined>;
  /** Compare-and-set. @throws VersionConflictError when `expectedSeq` is no longer true */
  activate(activation: Activation): Promise<ActivationResult>;
}

/** For whoever takes a version away: it must not be made active at the same time. */
export interface ActivationFence {
  /**
   * Raises `seq` and changes nothing else, so that every activation that has read the record before fails.
   * @throws VersionConflictError when `expectedSeq` is no longer true, StoreUnavailableError, StoreRefusedError
   */
  fence(fence: Pick<Activation, 'id' | 'request' | 'expectedSeq'>): Promise<void>;
}
