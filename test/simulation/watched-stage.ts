import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import type { CasaLinguaError } from '../../shared/errors.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { type ModelState, transitions } from '../../shared/host/model-state.ts';
import type { Hold, Load, Slot, Stay, Waiter } from '../../shared/host/slot.ts';
import { type Manifest, modelKey } from '../../shared/repository/manifest.ts';
import { HandMemory } from '../support/hand-memory.ts';
import { HandPermits } from '../support/hand-permits.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { unusedWorker } from '../support/unused-worker.ts';

const MIB = 1024 * 1024;

/** Somebody who asked, as seen from outside. */
export interface Caller {
  readonly waiter: Waiter;
  answers: number;
  hasLeft: boolean;
}

/** A stage that says what is wrong: it keeps its own books of everything that the scheduler must not get wrong. */
export class WatchedStage extends SchedulerStage {
  readonly wrong: string[] = [];
  readonly permits: HandPermits;
  readonly callers: Caller[] = [];
  /** Leases that are out. */
  readonly held: Hold[] = [];
  /** Workers whose memory is not given back: from the load's beginning to its end, or to the worker's. */
  readonly alive = new Set<Stay>();
  readonly crashed = new Set<Stay>();
  readonly #settings: ModelLoadingSettings;
  readonly #transitionsSeen: Set<string>;
  readonly #retryAt = new Map<string, number>();
  readonly #drainingSince = new Map<Stay, number>();
  #isClosed = false;
  #queuedBefore = 0;
  #cameBack = 0;

  constructor(settings: ModelLoadingSettings, transitionsSeen: Set<string>) {
    const permits = new HandPermits();
    super(settings, new HandMemory(), permits);
    this.permits = permits;
    this.#settings = settings;
    this.#transitionsSeen = transitionsSeen;
  }

  // What happens.

  call(manifest: Manifest, wish: Pick<Waiter, 'priority' | 'wantsLease' | 'keepAliveMs'>): void {
    const caller: Caller = {
      waiter: {
        ...wish,
        granted: (hold) => {
          caller.answers++;
          this.#granted(manifest, hold, wish.wantsLease);
        },
        refused: () => {
          caller.answers++;
        },
      },
      answers: 0,
      hasLeft: false,
    };
    this.callers.push(caller);
    this.scheduler.request(manifest, caller.waiter);
    if (this.#isClosed && caller.answers === 0) this.wrong.push('a closed host lets somebody wait');
  }

  take(manifest: Manifest): void {
    const hold = this.scheduler.holdReady(manifest, undefined);
    if (hold === undefined) return;
    if (hold.slot.key !== modelKey(manifest)) this.wrong.push('a hold on another version');
    this.#granted(manifest, hold, true);
  }

  leave(caller: Caller): void {
    caller.hasLeft = true;
    this.scheduler.leave(caller.waiter);
  }

  giveBack(hold: Hold): void {
    this.held.splice(this.held.indexOf(hold), 1);
    this.scheduler.release(hold);
  }

  /** The load's next phase, if it has another. */
  step(load: Load): void {
    const { kind } = load.slot.state;
    if (kind !== 'WARMING') this.scheduler.entered(load, kind === 'INITIALIZING' ? 'WARMING' : 'INITIALIZING');
  }

  /** The load comes to its end, after all of its phases. */
  bring(load: Load, heapMb: number): void {
    if (!this.stopped.has(load)) for (let phase = 0; phase < 2; phase++) this.step(load);
    this.#drop(load);
    this.memory.held.set(load.stay, heapMb);
    this.scheduler.loaded(load, unusedWorker(heapMb * MIB));
    const isReady = load.slot.state.kind === 'READY' && load.slot.state.stay === load.stay;
    if (isReady && load.stay.memoryMb < heapMb) this.wrong.push('a model counts with less than its heap');
  }

  /** The load comes to nothing. */
  give(load: Load, thrown: unknown): void {
    this.#drop(load);
    this.alive.delete(load.stay);
    this.scheduler.loadEnded(load, thrown);
  }

  crash(stay: Stay, error: CasaLinguaError): void {
    this.crashed.add(stay);
    this.crashes(stay, error);
  }

  end(stay: Stay): void {
    this.ending.splice(this.ending.indexOf(stay), 1);
    this.alive.delete(stay);
    this.memory.held.delete(stay);
    this.scheduler.workerEnded(stay);
  }

  preload(manifest: Manifest): void {
    this.scheduler.preload(manifest);
  }

  close(): void {
    this.#isClosed = true;
    this.scheduler.close();
  }

  // What the scheduler has done.

  override startLoad(load: Load): void {
    super.startLoad(load);
    const { ledger, wrong } = this;
    this.alive.add(load.stay);
    const isAlone = [...ledger.stays()].length === 1;
    const budgetMb = isAlone ? ledger.largestBudgetMb() : ledger.budgetMb();
    if (ledger.isProtected && !(budgetMb !== undefined && ledger.reservedMb <= budgetMb))
      wrong.push('a reservation that does not fit');
    if (load.stay.memoryMb !== load.slot.manifest.memory.peakMb) wrong.push('a load that does not reserve its peak');
    if (this.#isClosed) wrong.push('a load after the end');
    const { id } = load.slot.manifest;
    if (this.#needsPermits && count(this.permits.held, id) < inState(this.scheduler.status(), id, 'DOWNLOADING'))
      wrong.push('a load without a permit');
  }

  override endWorker(stay: Stay): void {
    if (this.ending.includes(stay)) this.wrong.push('a worker is ended twice');
    super.endWorker(stay);
    const isLeased = this.held.some(({ ready }) => ready.stay === stay) && !this.crashed.has(stay);
    const since = this.#drainingSince.get(stay);
    const isOver = since !== undefined && this.clock.awakeMs - since >= this.#settings.drainTimeoutMs;
    if (isLeased && !isOver) this.wrong.push('a leased worker is ended before its time');
  }

  override changed(slot: Slot, from: ModelState, reason: string | undefined): void {
    const { state, key } = slot;
    const { wrong } = this;
    const wall = this.clock.wallMs;
    this.#transitionsSeen.add(`${from} > ${state.kind}`);
    if (!transitions[from].includes(state.kind)) wrong.push(`${from} became ${state.kind}`);
    if (state.kind === 'QUEUED' && from !== 'UNLOADED' && from !== 'FAILED') this.#cameBack++;
    const retryAt = this.#retryAt.get(key) ?? 0;
    if ((from === 'FAILED' || from === 'QUEUED') && state.kind !== 'UNLOADED' && state.kind !== 'FAILED') {
      if (wall < retryAt) wrong.push(`${key} is tried again before its time`);
    }
    if (state.kind === 'FAILED') this.#retryAt.set(key, state.retryAt ?? Infinity);
    else if (state.kind === 'QUEUED') this.#retryAt.set(key, state.notBefore);
    else this.#retryAt.delete(key);
    if (state.kind === 'DRAINING') this.#drains(slot, state.ready.readyAt, state.ready.leases, reason ?? '');
    if (state.kind === 'DRAINING') this.#drainingSince.set(state.ready.stay, this.clock.awakeMs);
  }

  override noticed(): void {}

  // What must hold at any time.

  check(): void {
    const { wrong, ledger, scheduler } = this;
    const { loadConcurrency, queueEnabled, queueLimit } = this.#settings;
    const atWork = this.loads.filter(({ stay }) => !stay.isLost);
    if (queueEnabled && atWork.length > loadConcurrency) wrong.push(`${atWork.length} loads at once`);
    const stays = [...ledger.stays()];
    if (stays.length !== this.alive.size || stays.some((stay) => !this.alive.has(stay)))
      wrong.push('the ledger has not those who are there');
    const keys = stays.filter(({ isLost }) => !isLost).map(({ slot }) => slot.key);
    if (new Set(keys).size < keys.length) wrong.push('a version is there twice');
    if (this.callers.some(({ answers }) => answers > 1)) wrong.push('a caller is answered twice');
    if (this.callers.some(({ answers, hasLeft }) => hasLeft && answers > 0))
      wrong.push('a caller that left is answered');
    const status = scheduler.status();
    const waiting = status.reduce((sum, model) => sum + model.waiting, 0);
    if (waiting !== this.waiting().length) wrong.push('a caller is forgotten');
    const queued = status.filter(({ state }) => state === 'QUEUED').length;
    if (queued !== scheduler.queued) wrong.push('the queue is not as long as it says');
    // What comes back to the queue has its place, beyond the limit if need be.
    if (queueEnabled && queued - this.#cameBack > Math.max(queueLimit, this.#queuedBefore))
      wrong.push('a queue too long');
    this.#queuedBefore = queued;
    this.#cameBack = 0;
    const ready = status.filter(({ state }) => state === 'READY').map(({ id }) => id);
    if (new Set(ready).size < ready.length) wrong.push('two versions of a model are READY');
    this.#checkPermits(status);
  }

  waiting(): Caller[] {
    return this.callers.filter(({ answers, hasLeft }) => answers === 0 && !hasLeft);
  }

  get #needsPermits(): boolean {
    return this.#settings.loadPermits > 0;
  }

  #checkPermits(status: readonly ModelStatus[]): void {
    const { permits, wrong } = this;
    if (!this.#needsPermits && permits.seeks > 0) wrong.push('a permit is sought where none is needed');
    for (const id of new Set([...permits.held, ...permits.sought])) {
      if (count(permits.held, id) > inState(status, id, 'DOWNLOADING'))
        wrong.push('a permit is kept by what does not download');
      if (count(permits.sought, id) > inState(status, id, 'QUEUED'))
        wrong.push('a permit is sought for what is not in the queue');
    }
  }

  #granted(manifest: Manifest, hold: Hold, isLease: boolean): void {
    const { state, manifest: served } = hold.slot;
    if (state !== hold.ready) this.wrong.push(`a lease on a model that is ${state.kind}`);
    if (served.id !== manifest.id) this.wrong.push('a lease on another model');
    if (isLease) this.held.push(hold);
  }

  #drains({ manifest, key }: Slot, readyAt: number, leases: number, reason: string): void {
    const { preloadModels, alwaysLoadedModels, minimumResidencyMs } = this.#settings;
    const isByItself = /made room|nobody used|keep_alive|last lease/.test(reason);
    const isReplaced = this.scheduler.status().some((m) => m.id === manifest.id && modelKey(m) !== key);
    // The one exception: a version that another has waited for long enough to replace.
    const mayHaveOutstayed = isReplaced && /made room/.test(reason);
    if (isByItself && leases > 0 && !mayHaveOutstayed) {
      this.wrong.push(`${key} drains with leases out, since ${reason}`);
    }
    if (!isByItself || isReplaced) return;
    if ([...preloadModels, ...alwaysLoadedModels].includes(manifest.id))
      this.wrong.push(`${key} does not stay, since ${reason}`);
    if (/made room/.test(reason) && this.clock.wallMs - readyAt < minimumResidencyMs)
      this.wrong.push(`${key} makes room too early`);
  }

  #drop(load: Load): void {
    this.loads.splice(this.loads.indexOf(load), 1);
  }
}

function count(ids: readonly string[], id: string): number {
  return ids.filter((each) => each === id).length;
}

function inState(models: readonly ModelStatus[], id: string, state: ModelState): number {
  return models.filter((model) => model.id === id && model.state === state).length;
}
