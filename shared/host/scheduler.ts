import type { CasaLinguaError } from '../errors.ts';
import type { Manifest } from '../repository/manifest.ts';
import { Arrivals } from './arrivals.ts';
import { Departures } from './departures.ts';
import type { Ground } from './effects.ts';
import { ModelDrainingError, PreemptedError } from './errors.ts';
import { Housekeeping } from './housekeeping.ts';
import { failureOf, loadFailed } from './load-failure.ts';
import type { LoadPermits, PermitGrant } from './load-permits.ts';
import { LoadQueue } from './load-queue.ts';
import type { LoadPriority, ModelStatus } from './model-host.ts';
import type { LoadedWorker } from './model-loader.ts';
import { priorityOf } from './queue-order.ts';
import { type Hold, isLoading, type Load, type Slot, type Stay, type Waiter } from './slot.ts';
import { SlotPermits } from './slot-permits.ts';
import { statusOf } from './slot-status.ts';
import { isLoadingSlot, isReady, SlotTable } from './slot-table.ts';
import { StayingModels } from './staying-models.ts';
import { secondsLeft } from './time-left.ts';
import { Versions } from './versions.ts';

export type SchedulerOptions = Omit<Ground, 'table'> & {
  /** Undefined: a load needs none. */
  readonly permits?: LoadPermits | undefined;
};

/**
 * Decides everything about the models of one instance: events in, effects out, nothing else. Each event is one synchronous
 * step over the state as it is then. It has no timers: `tick` does what is due, and may come late.
 */
export class Scheduler {
  readonly #ground: Ground;
  readonly #table: SlotTable;
  readonly #staying: StayingModels;
  readonly #permits: SlotPermits;
  readonly #departures: Departures;
  readonly #arrivals: Arrivals;
  readonly #versions: Versions;
  readonly #queue: LoadQueue;
  readonly #housekeeping: Housekeeping;
  #isClosed = false;

  constructor(options: SchedulerOptions) {
    const { permits, ...ground } = options;
    const { settings, effects, clock } = ground;
    this.#staying = new StayingModels([...settings.preloadModels, ...settings.alwaysLoadedModels], clock);
    this.#table = new SlotTable(this.#staying, (slot, from, reason) => effects.changed(slot, from, reason));
    this.#ground = { ...ground, table: this.#table };
    this.#permits = new SlotPermits(settings.loadPermits > 0 ? permits : undefined, clock, {
      granted: (slot, grant) => this.#permitGranted(slot, grant),
      lost: (slot) => this.#permitLost(slot),
    });
    this.#departures = new Departures(this.#ground);
    this.#arrivals = new Arrivals(this.#ground, this.#departures);
    this.#versions = new Versions(this.#ground, this.#arrivals, this.#departures);
    this.#queue = new LoadQueue(this.#ground, this.#arrivals, this.#departures, this.#permits);
    this.#housekeeping = new Housekeeping(this.#ground, this.#arrivals, this.#departures);
  }

  // What callers want.

  /** A hold on this very version, if it is READY. */
  holdReady(manifest: Manifest, keepAliveMs: number | undefined): Hold | undefined {
    const slot = this.#table.slotOf(manifest);
    if (!isReady(slot) || !this.#table.isWanted(slot)) return undefined;
    return this.#versions.hold(slot, true, keepAliveMs);
  }

  /** The waiter is granted or refused, now or later, or leaves. */
  request(manifest: Manifest, waiter: Waiter): void {
    if (this.#isClosed) {
      waiter.refused(new ModelDrainingError('this instance is closing', { model: manifest.id, state: 'DRAINING' }));
      return;
    }
    const slot = this.#versions.want(manifest);
    // An older version serves until this one is READY; who asks for no lease waits for this very one.
    const older = waiter.wantsLease ? this.#table.readyVersion(manifest.id) : undefined;
    const serving = isReady(slot) ? slot : older;
    const refusal = this.#demand(slot, serving === undefined ? waiter.priority : 'background');
    if (serving !== undefined) this.#versions.grant(serving, waiter);
    else if (refusal === undefined) slot.waiters.add(waiter);
    else waiter.refused(refusal);
    this.#advance();
  }

  /** The waiter stops waiting. */
  leave(waiter: Waiter): void {
    for (const slot of this.#table.all()) {
      if (!slot.waiters.delete(waiter)) continue;
      const isUnwanted = slot.waiters.size === 0 && !slot.isPreload;
      if (isUnwanted && this.#ground.settings.cancelUnwantedLoads)
        this.#arrivals.cancel(slot, 'nobody waits for it any more');
      this.#advance();
      return;
    }
  }

  release({ slot, ready }: Hold): void {
    ready.leases--;
    ready.lastUsedAt = this.#ground.clock.wall();
    if (ready.leases > 0) return;
    const { state } = slot;
    if (state.kind === 'DRAINING' && state.ready === ready) this.#departures.endDrained(state);
    else if (isReady(slot) && slot.state === ready && this.#endsWithItsLease(slot)) {
      this.#departures.dismiss(slot, 'released', 'its last lease has ended');
    }
    this.#advance();
  }

  /** Loads the model though nobody waits, and again when it is lost. */
  preload(manifest: Manifest): void {
    if (this.#isClosed) return;
    const slot = this.#versions.want(manifest);
    slot.isPreload = true;
    const refusal = this.#demand(slot, 'background');
    if (refusal !== undefined) slot.lastFailure = failureOf(refusal);
    this.#advance();
  }

  unload(key: string): void {
    const slot = this.#table.get(key);
    if (slot === undefined) return;
    const { kind } = slot.state;
    slot.isPreload = false;
    slot.lastFailure = undefined;
    this.#arrivals.refuseAll(slot, new ModelDrainingError(`${key} has been unloaded`, { model: key, state: kind }));
    if (kind === 'FAILED') this.#table.change(slot, { kind: 'UNLOADED' });
    else if (isReady(slot)) this.#departures.drain(slot, 'unload', 'it was to be unloaded');
    else this.#arrivals.cancel(slot, 'it was to be unloaded');
    this.#advance();
  }

  /** @param untilMs wall clock */
  pin(id: string, untilMs: number | undefined): void {
    this.#staying.pin(id, untilMs);
  }

  unpin(id: string): void {
    this.#staying.unpin(id);
  }

  close(): void {
    this.#isClosed = true;
    for (const { key } of [...this.#table.all()]) this.unload(key);
  }

  // What comes of effects.

  /** @param bytesResumed of these, what was on disk before the attempt */
  progressed(load: Load, bytesLoaded: number, bytesResumed = 0): void {
    load.bytesLoaded = bytesLoaded;
    load.bytesResumed = bytesResumed;
    load.progressedAwake = this.#ground.clock.awake();
  }

  entered(load: Load, phase: 'INITIALIZING' | 'WARMING'): void {
    const { state } = load.slot;
    if (!isLoading(state) || state.load !== load) return;
    load.progressedAwake = this.#ground.clock.awake();
    this.#table.change(load.slot, { kind: phase, load });
    // A permit is for the download.
    this.#advance();
  }

  loaded(load: Load, worker: LoadedWorker): void {
    if (this.#arrivals.loaded(load, worker) && isReady(load.slot)) this.#versions.welcome(load.slot);
    this.#advance();
  }

  /** The load has failed, or has been given up, and nothing is left of it. */
  loadEnded(load: Load, thrown: unknown): void {
    this.#arrivals.ended(load, thrown);
    this.#advance();
  }

  /** A worker has died by itself, in its load or afterwards. */
  crashed(stay: Stay, error: CasaLinguaError): void {
    const { slot } = stay;
    const { state } = slot;
    if (isLoading(state) && state.load.stay === stay) {
      this.#arrivals.stop(state.load, error);
      this.#arrivals.fail(slot, failureOf(error), error);
    } else if (isReady(slot) && slot.state.stay === stay) {
      this.#departures.bury(slot, error);
    } else if (state.kind === 'DRAINING' && state.ready.stay === stay) {
      this.#departures.endDrained(state);
    }
    this.#advance();
  }

  workerEnded(stay: Stay): void {
    this.#departures.ended(stay);
    this.#arrivals.workerEnded();
    this.#revive(this.#ground.clock.wall());
    this.#advance();
  }

  /** Does what is due. */
  tick(): void {
    const awake = this.#ground.clock.awake();
    for (const slot of [...this.#table.all()]) {
      const { state } = slot;
      if (isLoading(state)) this.#arrivals.checkTime(state);
      else if (state.kind === 'DRAINING' && awake >= state.deadline) this.#departures.endDrained(state);
    }
    // A place that a hanging load holds goes to the next.
    for (const stay of this.#departures.loseLate()) if (stay.isLoading) this.#arrivals.lost();
    this.#housekeeping.tick(this.isMoving());
    const now = this.#ground.clock.wall();
    this.#revive(now);
    this.#versions.forgetReplaced(now);
    this.#advance();
  }

  // What can be seen.

  status(): ModelStatus[] {
    return Array.from(this.#table.all(), (slot) =>
      statusOf(slot, {
        stays: this.#table.stays(slot),
        secondsLeft: secondsLeft(slot, this.#ground, this.#arrivals.estimates),
        waitsForPermit: this.#permits.isAwaitedBy(slot),
      }),
    );
  }

  isReady(id: string): boolean {
    return this.#table.readyVersion(id) !== undefined;
  }

  /** Models that wait for their load to begin. */
  get queued(): number {
    return this.#table.queued;
  }

  /** Whether something is on its way in or out, so that time limits run. */
  isMoving(): boolean {
    if (this.#arrivals.running > 0) return true;
    for (const { slot, endingSince, isLost } of this.#ground.ledger.stays()) {
      if (!isLost && (endingSince !== undefined || slot.state.kind === 'DRAINING')) return true;
    }
    return false;
  }

  // How it decides.

  /** Sees to it that the model is on its way. @returns why it is not */
  #demand(slot: Slot, priority: LoadPriority): CasaLinguaError | undefined {
    const { state } = slot;
    switch (state.kind) {
      case 'QUEUED':
      case 'DOWNLOADING':
      case 'INITIALIZING':
      case 'WARMING':
      case 'READY':
      case 'DRAINING':
        return undefined;
      case 'FAILED': {
        if (state.retryAt === undefined) return loadFailed(slot, state.failure);
        const retryAfterMs = state.retryAt - this.#ground.clock.wall();
        if (retryAfterMs > 0) return loadFailed(slot, state.failure, { retryAfterMs });
        return this.#queue.enqueue(slot, priority);
      }
      case 'UNLOADED':
        return this.#queue.enqueue(slot, priority);
    }
  }

  /** Every event ends with it. */
  #advance(): void {
    if (!this.#isClosed) this.#queue.advance();
    this.#permits.settle();
  }

  #permitGranted(slot: Slot, grant: PermitGrant): void {
    if (grant === 'store away') this.#ground.effects.noticed('unpermitted', slot);
    this.#advance();
  }

  /** The download goes on later, from where it was. */
  #permitLost(slot: Slot): void {
    if (isLoadingSlot(slot) && slot.state.kind === 'DOWNLOADING') {
      this.#arrivals.preempt(slot, new PreemptedError('its permit to download was lost', { model: slot.key }));
    }
    this.#advance();
  }

  /** Brings back what is wanted: models that were asked for while they drained, and those that are loaded at start. */
  #revive(now: number): void {
    for (const slot of [...this.#table.all()]) {
      const { state } = slot;
      const isMissed = state.kind === 'UNLOADED' && slot.waiters.size > 0;
      const isDueAgain = state.kind === 'UNLOADED' || (state.kind === 'FAILED' && (state.retryAt ?? Infinity) <= now);
      const isResting =
        slot.recycledAt !== undefined && now - slot.recycledAt < this.#ground.settings.minimumResidencyMs;
      if (!isMissed && !(slot.isPreload && isDueAgain && !isResting)) continue;
      const refusal = this.#demand(slot, priorityOf(slot));
      if (refusal !== undefined) this.#arrivals.refuseAll(slot, refusal);
    }
  }

  #endsWithItsLease(slot: Slot): boolean {
    if (this.#table.stays(slot)) return false;
    if (slot.keepAliveMs !== undefined) return slot.keepAliveMs === 0;
    return this.#ground.settings.strategy === 'on_demand';
  }
}
