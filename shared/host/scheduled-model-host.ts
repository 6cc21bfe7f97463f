import type { ModelLoadingSettings } from '../config/model-loading.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type Manifest, modelKey } from '../repository/manifest.ts';
import { WorkerCrashedError } from '../runtime/errors.ts';
import { AwakeClock, type ClockReadings } from './awake-clock.ts';
import type { Effects } from './effects.ts';
import { ModelDrainingError, ModelLoadingError } from './errors.ts';
import type { LoadPermits } from './load-permits.ts';
import type { MemoryReader } from './memory.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { changeFields, type ModelChange, ModelChanges } from './model-change.ts';
import type { HostReport, Lease, LeaseOptions, ModelHost, ModelStatus, WaitOptions } from './model-host.ts';
import type { LoadedWorker, LoadObserver, ModelLoader } from './model-loader.ts';
import type { ModelState } from './model-state.ts';
import { Scheduler } from './scheduler.ts';
import type { Failure, Hold, Load, Slot, Stay, Waiter } from './slot.ts';

export interface ScheduledModelHostOptions {
  readonly settings: ModelLoadingSettings;
  readonly loader: ModelLoader;
  readonly memory: MemoryReader;
  /** Undefined, like `loadPermits: 0` in the settings: loads need none. */
  readonly permits?: LoadPermits | undefined;
  readonly readings: ClockReadings;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Calls back again and again, as often as `everyMs` says at that time, until it is told to stop. */
  readonly repeat: (run: () => void, everyMs: () => number) => () => void;
  /** Told after every change of a model's state. */
  readonly onChange?: (change: ModelChange) => void;
  /** Told when the thread of a worker does not end. @param model `id@version` */
  readonly onLost?: (model: string) => void;
  /** Told when a model has been pinned or unpinned. */
  readonly onPin?: () => void;
  /** Told, after the loader, that the instance has been frozen. */
  readonly onThaw?: () => void;
}

/** Between two looks at the clock: while time limits run, and otherwise. */
const BUSY_MS = 250;
const CALM_MS = 1_000;

/** The host over real loads and real time: carries out what the scheduler decides, and tells it what comes of it. */
export class ScheduledModelHost implements ModelHost {
  readonly #options: ScheduledModelHostOptions;
  readonly #clock: AwakeClock;
  readonly #ledger: MemoryLedger;
  readonly #scheduler: Scheduler;
  readonly #changes: ModelChanges;
  readonly #stopRepeating: () => void;
  readonly #aborts = new Map<Load, AbortController>();
  /** Whoever waits for the ends of these workers. */
  readonly #awaitingEnds = new Set<{ readonly stays: readonly Stay[]; readonly resolve: () => void }>();
  readonly #endings = new Set<Promise<void>>();

  constructor(options: ScheduledModelHostOptions) {
    const { settings, memory, readings, random, permits } = options;
    this.#options = options;
    this.#clock = new AwakeClock(readings);
    this.#ledger = new MemoryLedger(settings.memoryProtection, memory);
    this.#changes = new ModelChanges(this.#clock, this.#ledger);
    const effects: Effects = {
      startLoad: (load) => void this.#load(load),
      stopLoad: (load, reason) => this.#aborts.get(load)?.abort(reason),
      endWorker: (stay, worker) => {
        const ending = this.#end(stay, worker).finally(() => this.#endings.delete(ending));
        this.#endings.add(ending);
      },
      changed: (slot, from, reason) => this.#record(slot, from, reason),
      noticed: (event, slot, failure) => this.#notice(event, slot, failure),
    };
    this.#scheduler = new Scheduler({ settings, ledger: this.#ledger, clock: this.#clock, random, effects, permits });
    this.#stopRepeating = options.repeat(
      () => this.#look(this.#clock.beat()),
      () => (this.#scheduler.isMoving() || this.#scheduler.queued > 0 ? BUSY_MS : CALM_MS),
    );
  }

  async lease(manifest: Manifest, options: LeaseOptions = {}): Promise<Lease> {
    const { signal, priority = 'interactive' } = options;
    signal?.throwIfAborted();
    const keepAliveMs = this.#options.settings.keepAliveAllowed ? options.keepAliveMs : undefined;
    let hold = this.#scheduler.holdReady(manifest, keepAliveMs);
    if (hold === undefined) {
      hold = await this.#wait(manifest, { priority, wantsLease: true, keepAliveMs }, signal);
      if (signal?.aborted) {
        // It was granted in the moment in which the caller went.
        this.#scheduler.release(hold);
        throw signal.reason;
      }
    }
    return this.#leaseOf(hold);
  }

  isReady(id: string): boolean {
    return this.#scheduler.isReady(id);
  }

  async ensureReady(manifest: Manifest, options: WaitOptions & { readonly timeoutMs?: number } = {}): Promise<void> {
    const { priority = 'interactive', timeoutMs } = options;
    options.signal?.throwIfAborted();
    const late = new AbortController();
    const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
    const message = `${modelKey(manifest)} was not ready after ${timeoutMs} ms`;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => late.abort(new ModelLoadingError(message, { model: manifest.id })), timeoutMs);
    try {
      await this.#wait(manifest, { priority, wantsLease: false, keepAliveMs: undefined }, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  preload(manifest: Manifest): void {
    this.#scheduler.preload(manifest);
  }

  async unload(key: string): Promise<void> {
    this.#scheduler.unload(key);
    await this.#ends(({ slot }) => slot.key === key);
  }

  pin(id: string, untilMs?: number): void {
    this.#scheduler.pin(id, untilMs);
    this.#options.onPin?.();
  }

  unpin(id: string): void {
    this.#scheduler.unpin(id);
    this.#options.onPin?.();
  }

  status(): readonly ModelStatus[] {
    return this.#scheduler.status();
  }

  report(): HostReport {
    const { strategy, queueLimit } = this.#options.settings;
    const loading = Array.from(this.#aborts.keys(), ({ slot }) => slot.key);
    return {
      strategy,
      models: this.status(),
      queue: { size: this.#scheduler.queued, limit: queueLimit, loading },
      memory: this.#ledger.report(),
    };
  }

  wake(): void {
    this.#look(this.#clock.resume());
  }

  rest(): void {
    this.#clock.rest();
  }

  /** Workers that are about to end, if any; never rejects. Frozen with their instance they would keep their memory. */
  endings(): Promise<void> | undefined {
    return this.#endings.size === 0 ? undefined : Promise.all(this.#endings).then(() => undefined);
  }

  async close(): Promise<void> {
    this.#scheduler.close();
    await this.#ends(() => true);
    this.#stopRepeating();
  }

  #look(wasFrozen: boolean): void {
    if (wasFrozen) {
      this.#options.loader.thawed();
      this.#options.onThaw?.();
    }
    this.#options.permits?.wake();
    this.#scheduler.tick();
    this.#tellEnds();
  }

  #wait(
    manifest: Manifest,
    wish: Pick<Waiter, 'priority' | 'wantsLease' | 'keepAliveMs'>,
    signal: AbortSignal | undefined,
  ): Promise<Hold> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#scheduler.leave(waiter);
        reject(signal?.reason);
      };
      const done = () => signal?.removeEventListener('abort', leave);
      const waiter: Waiter = {
        ...wish,
        granted(hold) {
          done();
          resolve(hold);
        },
        refused(error) {
          done();
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#scheduler.request(manifest, waiter);
    });
  }

  #leaseOf(hold: Hold): Lease {
    const { slot, ready } = hold;
    let isReleased = false;
    const rejected = (thrown: unknown): never => {
      const wasEnded = thrown instanceof WorkerCrashedError && slot.state.kind === 'DRAINING';
      if (!wasEnded) throw thrown;
      const details = { model: slot.key, state: 'DRAINING', cause: thrown };
      throw new ModelDrainingError(`${slot.key} was unloaded before the request was through`, details);
    };
    return {
      manifest: slot.manifest,
      worker: ready.worker,
      run: (input, { signal } = {}) => ready.worker.run(input, signal).catch(rejected),
      runBatch: (members) => {
        const { results, ended } = ready.worker.runBatch(members);
        return { results: results.map((result) => result.catch(rejected)), ended };
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#scheduler.release(hold);
      },
    };
  }

  async #load(load: Load): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(load, abort);
    const observer: LoadObserver = {
      onDownloaded: ({ bytesDone, bytesResumed }) => this.#scheduler.progressed(load, bytesDone, bytesResumed),
      onInitializing: () => this.#scheduler.entered(load, 'INITIALIZING'),
      onWarming: () => this.#scheduler.entered(load, 'WARMING'),
      onCrash: (error) => this.#scheduler.crashed(load.stay, error),
    };
    // The scheduler is in the middle of a step: nothing of the load may reach it before that is over.
    await Promise.resolve();
    try {
      const worker = await this.#options.loader.load(load.slot.manifest, observer, abort.signal);
      this.#aborts.delete(load);
      this.#scheduler.loaded(load, worker);
    } catch (thrown) {
      this.#aborts.delete(load);
      this.#scheduler.loadEnded(load, thrown);
    }
    this.#tellEnds();
  }

  async #end(stay: Stay, worker: LoadedWorker): Promise<void> {
    await Promise.resolve();
    try {
      await worker.end();
    } catch (thrown) {
      // What cannot be given back must not keep the model from being loaded again.
      this.#options.log.error('model.end', { model: stay.slot.key, reason: messageOf(thrown) });
    }
    this.#scheduler.workerEnded(stay);
    this.#tellEnds();
  }

  /** Until those who are there now and of whom it is true have ended, or are lost; not those who come after them. */
  #ends(isAwaited: (stay: Stay) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#awaitingEnds.add({ stays: [...this.#ledger.stays()].filter(isAwaited), resolve });
      this.#tellEnds();
    });
  }

  #tellEnds(): void {
    for (const awaiting of this.#awaitingEnds) {
      if (awaiting.stays.some((stay) => !stay.isLost && this.#ledger.has(stay))) continue;
      this.#awaitingEnds.delete(awaiting);
      awaiting.resolve();
    }
  }

  #record(slot: Slot, from: ModelState, reason: string | undefined): void {
    const { log, onChange } = this.#options;
    const change = this.#changes.of(slot, from, reason);
    log[change.to === 'FAILED' ? 'error' : 'info']('model.state', changeFields(change));
    onChange?.(change);
  }

  #notice(event: 'crashed' | 'lost' | 'unpermitted', slot: Slot, failure: Failure | undefined): void {
    const { log } = this.#options;
    const model = slot.key;
    switch (event) {
      case 'crashed':
        log.error('model.crashed', { model, code: failure?.code, reason: failure?.message });
        break;
      case 'lost':
        log.error('model.lost', { model, reason: 'its worker does not end; its memory is not given back' });
        this.#options.onLost?.(model);
        break;
      case 'unpermitted':
        log.warn('model.unpermitted', { model, reason: 'the store is away: it may load without a permit' });
        break;
    }
  }
}
