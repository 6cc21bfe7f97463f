import { BreakerOpenError } from '../breaker/errors.ts';
import type { CasaLinguaError } from '../errors.ts';
import { backoffMs, cooldownMs } from './backoff.ts';
import type { Departures } from './departures.ts';
import type { Ground } from './effects.ts';
import { LoadTimeoutError, ModelDrainingError } from './errors.ts';
import { LoadEstimates } from './load-estimates.ts';
import { failureOf, loadFailed } from './load-failure.ts';
import type { LoadedWorker } from './model-loader.ts';
import { type Failure, isLoading, type Load, type Loading, type Ready, type Slot } from './slot.ts';
import type { LoadingSlot, QueuedSlot } from './slot-table.ts';

const MIB = 1024 * 1024;

/** A breaker may be closed sooner than it said, by an operator: after so long it is asked again. */
const MOST_BREAKER_MS = 60_000;

/** How models come: attempts, what becomes of them, and what follows a failure. A part of the scheduler. */
export class Arrivals {
  readonly estimates = new LoadEstimates();
  readonly #ground: Ground;
  readonly #departures: Departures;
  #running = 0;
  #nextOrder = 1;
  /** Grows with every start and end of a load or a worker: what was measured across one is not one model's alone. */
  #movements = 0;
  readonly #movementsBefore = new WeakMap<Load, number>();

  constructor(ground: Ground, departures: Departures) {
    this.#ground = ground;
    this.#departures = departures;
  }

  /** Loads that the loader is at work on, those that were told to stop included. */
  get running(): number {
    return this.#running;
  }

  /** To the end of the queue, behind its equals. */
  enqueue(slot: Slot, { notBefore = 0, reason }: { notBefore?: number; reason?: string } = {}): void {
    this.#ground.table.change(slot, { kind: 'QUEUED', order: this.#nextOrder++, notBefore }, reason);
  }

  start(slot: QueuedSlot): void {
    const { ledger, clock, table, effects } = this.#ground;
    const stay = {
      slot,
      memoryMb: slot.manifest.memory.peakMb,
      isLoading: true,
      endingSince: undefined,
      isLost: false,
    };
    const awake = clock.awake();
    const load: Load = {
      slot,
      stay,
      order: slot.state.order,
      bytesLoaded: 0,
      bytesResumed: 0,
      startedAt: clock.wall(),
      startedAwake: awake,
      progressedAwake: awake,
      rssBeforeMb: ledger.read()?.rssMb,
      isStopped: false,
    };
    this.#movementsBefore.set(load, ++this.#movements);
    this.#running++;
    slot.attempts++;
    ledger.add(stay);
    table.change(slot, { kind: 'DOWNLOADING', load });
    effects.startLoad(load);
  }

  /** The slot has left the load's phases, or is about to. */
  stop(load: Load, reason: CasaLinguaError): void {
    load.isStopped = true;
    load.slot.remains++;
    load.stay.endingSince = this.#ground.clock.awake();
    this.#ground.effects.stopLoad(load, reason);
  }

  /** Back to its old place in the queue; what has been downloaded stays on disk. */
  preempt(slot: LoadingSlot, reason: CasaLinguaError): void {
    const { load } = slot.state;
    this.stop(load, reason);
    slot.attempts--;
    this.#ground.table.change(slot, { kind: 'QUEUED', order: load.order, notBefore: 0 }, reason.message);
  }

  /** The model is READY, unless its load had been given up. @returns whether it is */
  loaded(load: Load, worker: LoadedWorker): boolean {
    const { clock, effects, table } = this.#ground;
    const { slot, stay, startedAt } = load;
    this.#leave(load);
    if (load.isStopped) {
      // It was through before it could be given up.
      stay.endingSince = clock.awake();
      effects.endWorker(stay, worker);
      return false;
    }
    stay.memoryMb = this.#measuredMb(load, worker);
    this.estimates.learn(slot, clock.awake() - load.startedAwake);
    slot.attempts = 0;
    slot.failedSeries = 0;
    slot.lastFailure = undefined;
    const readyAt = clock.wall();
    const ready: Ready = { kind: 'READY', worker, stay, startedAt, readyAt, lastUsedAt: readyAt, leases: 0 };
    table.change(slot, ready);
    return true;
  }

  /** The load has come to nothing, and nothing is left of it. */
  ended(load: Load, thrown: unknown): void {
    this.#leave(load);
    if (load.isStopped) {
      this.#departures.ended(load.stay);
      return;
    }
    this.#ground.ledger.remove(load.stay);
    this.fail(load.slot, failureOf(thrown), thrown);
  }

  /** The loader does not come back: its place goes to the next. */
  lost(): void {
    this.#running--;
  }

  /** The thread of a worker is over. */
  workerEnded(): void {
    this.#movements++;
  }

  /** Stops a load that has outlasted its time or stands still. */
  checkTime({ load }: Loading): void {
    const { clock, settings } = this.#ground;
    const awake = clock.awake();
    const inSeconds = (ms: number) => `${Math.round(ms / 1000)} s`;
    let message: string | undefined;
    if (awake - load.startedAwake >= settings.loadTimeoutMs) {
      message = `the load took longer than ${inSeconds(settings.loadTimeoutMs)}`;
    } else if (awake - load.progressedAwake >= settings.loadStallMs) {
      message = `the load stood still for ${inSeconds(settings.loadStallMs)}`;
    }
    if (message === undefined) return;
    const error = new LoadTimeoutError(message, { model: load.slot.key, state: load.slot.state.kind });
    this.stop(load, error);
    this.fail(load.slot, failureOf(error), error);
  }

  /** What follows a failed attempt: another one, later, or the end of the series. Waiters wait on, or are refused once. */
  fail(slot: Slot, failure: Failure, cause: unknown): void {
    const { settings, clock, random, table } = this.#ground;
    slot.lastFailure = failure;
    if (slot.waiters.size === 0 && !table.isWanted(slot)) {
      table.change(slot, { kind: 'UNLOADED' }, 'another version is wanted');
    } else if (!failure.retryable) {
      table.change(slot, { kind: 'FAILED', failure, retryAt: undefined });
      this.refuseAll(slot, loadFailed(slot, failure, { cause }));
    } else if (cause instanceof BreakerOpenError) {
      // Nothing was tried, so it says nothing of how long the model is to be left alone: the breaker does.
      slot.attempts--;
      this.#failForNow(slot, failure, cause, Math.min((cause.retryAfterSeconds ?? 1) * 1000, MOST_BREAKER_MS));
    } else if (slot.attempts < settings.retry.maxAttempts) {
      const wait = backoffMs(settings.retry, slot.attempts, random());
      this.enqueue(slot, { notBefore: clock.wall() + wait, reason: failure.message });
    } else {
      slot.failedSeries++;
      this.#failForNow(slot, failure, cause, cooldownMs(settings.retry, slot.failedSeries));
    }
  }

  /** Takes a load back that has not come to READY. */
  cancel(slot: Slot, reason: string): void {
    const { state } = slot;
    if (isLoading(state)) {
      this.stop(state.load, new ModelDrainingError(`${slot.key}: ${reason}`, { model: slot.key }));
    } else if (state.kind !== 'QUEUED') {
      return;
    }
    this.#ground.table.change(slot, { kind: 'UNLOADED' }, reason);
  }

  refuseAll({ waiters }: Slot, error: CasaLinguaError): void {
    for (const waiter of waiters) waiter.refused(error);
    waiters.clear();
  }

  #failForNow(slot: Slot, failure: Failure, cause: unknown, retryAfterMs: number): void {
    const { clock, table } = this.#ground;
    table.change(slot, { kind: 'FAILED', failure, retryAt: clock.wall() + retryAfterMs });
    this.refuseAll(slot, loadFailed(slot, failure, { cause, retryAfterMs }));
  }

  #isAnyLeaving(): boolean {
    for (const { endingSince, isLost } of this.#ground.ledger.stays())
      if (endingSince !== undefined && !isLost) return true;
    return false;
  }

  #leave(load: Load): void {
    this.#movements++;
    if (!load.stay.isLost) this.#running--;
    load.stay.isLoading = false;
  }

  /**
   * What a READY worker holds: what the process grew by, where nothing else came or went meanwhile; otherwise what the
   * manifest says. Never less than its heap.
   */
  #measuredMb(load: Load, { heapBytes }: LoadedWorker): number {
    const heapMb = heapBytes / MIB;
    const rssMb = this.#ground.ledger.read()?.rssMb;
    const wasAlone =
      this.#movementsBefore.get(load) === this.#movements - 1 && this.#running === 0 && !this.#isAnyLeaving();
    const grownMb =
      wasAlone && rssMb !== undefined && load.rssBeforeMb !== undefined ? rssMb - load.rssBeforeMb : undefined;
    return Math.max(heapMb, grownMb ?? load.slot.manifest.memory.residentMb);
  }
}
