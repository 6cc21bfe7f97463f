import type { LogFields } from '../observability/log.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import type { ModelState } from './model-state.ts';
import { type Failure, isLoading, type Load, type Slot, type UnloadCause } from './slot.ts';

/** What there is of memory at one moment, in MB. */
export interface MemoryMoment {
  /** Of the process; undefined when it cannot be read. */
  readonly rssMb: number | undefined;
  /** By models that load, are READY or are on their way out. */
  readonly reservedMb: number;
}

/** One step of a model from one state to another. */
export interface ModelChange {
  /** `id@version`. */
  readonly model: string;
  readonly from: ModelState;
  readonly to: ModelState;
  /** Ms that it was in `from`, time in which the instance was frozen left out; undefined of its first step. */
  readonly tookMs: number | undefined;
  /** Of its files: those that are on disk when it leaves a phase of its load, otherwise all. */
  readonly bytes: number;
  /** Of these, what an earlier attempt had left there. */
  readonly bytesResumed: number;
  /** When it came into `from`; undefined of its first step. */
  readonly memoryBefore: MemoryMoment | undefined;
  readonly memoryAfter: MemoryMoment;
  /** Of the failure, where `to` is FAILED or it is tried again. */
  readonly code: string | undefined;
  /** Where `to` is DRAINING. */
  readonly cause: UnloadCause | undefined;
  /** In words. */
  readonly reason: string | undefined;
}

interface Entry {
  readonly awake: number;
  readonly memory: MemoryMoment;
  /** That this state is a phase of. */
  readonly load: Load | undefined;
}

/** Tells each step of a model with how long the state before lasted and what memory did meanwhile. */
export class ModelChanges {
  readonly #clock: { awake(): number };
  readonly #ledger: Pick<MemoryLedger, 'read' | 'reservedMb'>;
  /** How each model came into the state that it is in. */
  readonly #entries = new WeakMap<Slot, Entry>();

  constructor(clock: { awake(): number }, ledger: Pick<MemoryLedger, 'read' | 'reservedMb'>) {
    this.#clock = clock;
    this.#ledger = ledger;
  }

  /** To be called once for every step, right after it. */
  of(slot: Slot, from: ModelState, reason: string | undefined): ModelChange {
    const { state } = slot;
    const before = this.#entries.get(slot);
    const awake = this.#clock.awake();
    const memory = { rssMb: this.#ledger.read()?.rssMb, reservedMb: this.#ledger.reservedMb };
    this.#entries.set(slot, { awake, memory, load: isLoading(state) ? state.load : undefined });
    // The state that follows a load has it no more.
    const load = before?.load;
    const failure = failureOf(slot, reason);
    return {
      model: slot.key,
      from,
      to: state.kind,
      tookMs: before === undefined ? undefined : awake - before.awake,
      bytes: load?.bytesLoaded ?? slot.bytesTotal,
      bytesResumed: load?.bytesResumed ?? 0,
      memoryBefore: before?.memory,
      memoryAfter: memory,
      code: failure?.code,
      cause: state.kind === 'DRAINING' ? state.cause : undefined,
      reason: reason ?? failure?.message,
    };
  }
}

function failureOf({ state, lastFailure }: Slot, reason: string | undefined): Failure | undefined {
  if (state.kind === 'FAILED') return state.failure;
  // A load that is tried again tells why in its failure's words; one that was put back for another reason has not failed.
  return state.kind === 'QUEUED' && reason !== undefined && lastFailure?.message === reason ? lastFailure : undefined;
}

/** Its line in the model log; memory in whole MB. */
export function changeFields({
  to,
  tookMs,
  memoryBefore,
  memoryAfter,
  bytesResumed,
  ...change
}: ModelChange): LogFields {
  return {
    model: change.model,
    from: change.from,
    state: to,
    ms: whole(tookMs),
    bytes: change.bytes,
    rssBeforeMb: whole(memoryBefore?.rssMb),
    rssMb: whole(memoryAfter.rssMb),
    reservedBeforeMb: whole(memoryBefore?.reservedMb),
    reservedMb: whole(memoryAfter.reservedMb),
    code: change.code,
    cause: change.cause,
    reason: change.reason,
  };
}

function whole(number: number | undefined): number | undefined {
  return number === undefined ? undefined : Math.round(number);
}
