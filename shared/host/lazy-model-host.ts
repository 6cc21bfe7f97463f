import { messageOf } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type Manifest, modelKey, runtimeFiles } from '../repository/manifest.ts';
import type { WorkerCrashedError } from '../runtime/errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { ModelDrainingError } from './errors.ts';
import { failedBy, loadFailed } from './load-failure.ts';
import type { Lease, ModelHost, ModelStatus } from './model-host.ts';
import type { LoadedWorker, LoadObserver, ModelLoader } from './model-loader.ts';
import type { Draining, Loading, Ready, Slot } from './slot.ts';
import { statusOf } from './slot-status.ts';

export interface LazyModelHostOptions {
  readonly loader: ModelLoader;
  readonly clock: { now(): number };
  readonly log: Log;
}

/**
 * Loads a model at its first use and keeps it. Every decision is made in one synchronous step, from the state as it is in
 * that step. The load queue, the memory ledger and the sweep of idle models stand between `lease` and `#load`.
 */
export class LazyModelHost implements ModelHost {
  readonly #options: LazyModelHostOptions;
  readonly #slots = new Map<string, Slot>();
  /** Crashed workers whose remains are being cleared away. */
  readonly #remains = new Set<Promise<void>>();
  #closed = false;

  constructor(options: LazyModelHostOptions) {
    this.#options = options;
  }

  async lease(manifest: Manifest, { signal }: { signal?: AbortSignal } = {}): Promise<Lease> {
    signal?.throwIfAborted();
    if (this.#closed) throw new ModelDrainingError('this instance is closing', { model: manifest.id });
    const slot = this.#slotOf(manifest);
    if (slot.state.kind === 'READY') return this.#take(slot, slot.state);
    const older = this.#readyVersion(manifest.id);
    if (slot.state.kind === 'FAILED' && !slot.state.error.retryable) {
      if (older !== undefined) return this.#take(older.slot, older.ready);
      throw loadFailed(slot, slot.state);
    }
    if (slot.state.kind === 'DRAINING') {
      throw new ModelDrainingError(`${slot.key} is being unloaded`, { model: slot.key, state: 'DRAINING' });
    }
    const loading = slot.state.kind === 'LOADING' ? slot.state : this.#load(slot);
    // An older version serves until the new one is READY.
    if (older !== undefined) return this.#take(older.slot, older.ready);
    const ready = await untilAborted(loading.ready, signal);
    // Between the load's end and this step the model may have been unloaded again.
    if (!isNow(slot, ready)) return this.lease(manifest, signal === undefined ? {} : { signal });
    return this.#take(slot, ready);
  }

  async unload(key: string): Promise<void> {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    const { state } = slot;
    switch (state.kind) {
      case 'LOADING':
        state.abort.abort(new ModelDrainingError(`${key} was unloaded while it loaded`, { model: key }));
        await state.ready.catch(() => undefined);
        return;
      case 'READY':
        await this.#drain(slot, state).drained;
        return;
      case 'DRAINING':
        await state.drained;
        return;
      case 'FAILED':
        this.#change(slot, { kind: 'UNLOADED' });
        return;
      case 'UNLOADED':
        return;
    }
  }

  status(): readonly ModelStatus[] {
    return [...this.#slots.values()].map(statusOf);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#slots.keys()].map((key) => this.unload(key)));
    await Promise.all(this.#remains);
  }

  #slotOf(manifest: Manifest): Slot {
    const key = modelKey(manifest);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { key, manifest, state: { kind: 'UNLOADED' } };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #readyVersion(id: string): { slot: Slot; ready: Ready } | undefined {
    for (const slot of this.#slots.values()) {
      if (slot.manifest.id === id && slot.state.kind === 'READY') return { slot, ready: slot.state };
    }
    return undefined;
  }

  #take(slot: Slot, ready: Ready): Lease {
    ready.leases++;
    ready.lastUsedAt = this.#options.clock.now();
    let released = false;
    return {
      manifest: slot.manifest,
      run: async (input, { signal } = {}) => (await ready.worker.run(input, signal)).output,
      release: () => {
        if (released) return;
        released = true;
        ready.leases--;
        ready.lastUsedAt = this.#options.clock.now();
        const { state } = slot;
        // A lease on a worker that crashed says nothing about the one that has taken its place.
        if (ready.leases === 0 && state.kind === 'DRAINING' && state.ready === ready) state.onLastRelease();
      },
    };
  }

  #load(slot: Slot): Loading {
    const { loader, clock } = this.#options;
    const abort = new AbortController();
    let loaded: Ready | undefined;
    const observer: LoadObserver = {
      onDownloaded: ({ bytesDone }) => {
        loading.bytesLoaded = bytesDone;
      },
      onInitializing: () => this.#enter(slot, loading, 'INITIALIZING'),
      onWarming: () => this.#enter(slot, loading, 'WARMING'),
      onCrash: (error) => {
        if (loaded === undefined) abort.abort(error);
        else if (slot.state === loaded) this.#bury(slot, loaded, error);
      },
    };
    const startedAt = clock.now();
    const ready = Promise.resolve().then(async (): Promise<Ready> => {
      try {
        const worker = await loader.load(slot.manifest, observer, abort.signal);
        if (abort.signal.aborted) {
          // The load was through before it could be given up.
          await this.#end(slot, worker);
          throw abort.signal.reason;
        }
        const readyAt = clock.now();
        loaded = { kind: 'READY', worker, startedAt, readyAt, lastUsedAt: readyAt, leases: 0 };
        this.#change(slot, loaded);
        this.#retireOlder(slot);
        return loaded;
      } catch (thrown) {
        if (thrown instanceof ModelDrainingError) {
          this.#change(slot, { kind: 'UNLOADED' });
          throw thrown;
        }
        const failed = failedBy(thrown);
        this.#change(slot, failed);
        throw loadFailed(slot, failed, thrown);
      }
    });
    // A load without a waiter fails in the state and the log alone.
    ready.catch(() => undefined);
    const bytesTotal = runtimeFiles(slot.manifest).reduce((sum, { size }) => sum + size, 0);
    const loading: Loading = {
      kind: 'LOADING',
      phase: 'DOWNLOADING',
      bytesLoaded: 0,
      bytesTotal,
      startedAt,
      abort,
      ready,
    };
    this.#change(slot, loading);
    return loading;
  }

  #enter(slot: Slot, loading: Loading, phase: Loading['phase']): void {
    loading.phase = phase;
    this.#record(slot);
  }

  #retireOlder(slot: Slot): void {
    for (const other of this.#slots.values()) {
      const isOlder = other !== slot && other.manifest.id === slot.manifest.id;
      if (isOlder && other.state.kind === 'READY') void this.#drain(other, other.state).drained;
    }
  }

  #drain(slot: Slot, ready: Ready): Draining {
    const { promise: lastReleased, resolve: onLastRelease } = withResolvers();
    const drained = lastReleased.then(async () => {
      await this.#end(slot, ready.worker);
      this.#change(slot, { kind: 'UNLOADED' });
    });
    const draining: Draining = { kind: 'DRAINING', ready, drained, onLastRelease };
    this.#change(slot, draining);
    if (ready.leases === 0) onLastRelease();
    return draining;
  }

  /** A worker that has died makes room at once: its leases can only fail, and the next one loads anew. */
  #bury(slot: Slot, { worker }: Ready, error: WorkerCrashedError): void {
    this.#options.log.error('model.crashed', { model: slot.key, code: error.code, reason: error.message });
    this.#change(slot, { kind: 'UNLOADED' });
    const cleared = this.#end(slot, worker).finally(() => this.#remains.delete(cleared));
    this.#remains.add(cleared);
  }

  /** Never rejects: what cannot be given back must not keep the model from being loaded again. */
  async #end(slot: Slot, worker: LoadedWorker): Promise<void> {
    try {
      await worker.end();
    } catch (thrown) {
      this.#options.log.error('model.end', { model: slot.key, reason: messageOf(thrown) });
    }
  }

  #change(slot: Slot, state: Slot['state']): void {
    slot.state = state;
    this.#record(slot);
  }

  #record(slot: Slot): void {
    const { state, error } = statusOf(slot);
    const fields = { model: slot.key, state, code: error?.code, reason: error?.message };
    if (state === 'FAILED') this.#options.log.error('model.state', fields);
    else this.#options.log.info('model.state', fields);
  }
}

function isNow(slot: Slot, state: Slot['state']): boolean {
  return slot.state === state;
}

/** `Promise.withResolvers` comes with Node 22. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
