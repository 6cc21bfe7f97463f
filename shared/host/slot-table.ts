import { type Manifest, modelKey, runtimeFiles } from '../repository/manifest.ts';
import type { Resident } from './eviction.ts';
import type { ModelState } from './model-state.ts';
import { isLoading, type Loading, type Queued, type Ready, type Slot, type SlotState } from './slot.ts';

export type ReadySlot = Slot & { readonly state: Ready };
export type QueuedSlot = Slot & { readonly state: Queued };
export type LoadingSlot = Slot & { readonly state: Loading };

/** A READY model with what a choice among them goes by. */
export interface ResidentSlot extends Resident {
  readonly slot: ReadySlot;
}

/** Every version of a model that this instance has touched, and which version of each model was asked for last. */
export class SlotTable {
  readonly #slots = new Map<string, Slot>();
  /** By model id. */
  readonly #wanted = new Map<string, Slot>();
  readonly #keys = new WeakMap<Manifest, string>();
  readonly #onChange: (slot: Slot, from: ModelState, reason: string | undefined) => void;
  readonly #staying: { has(id: string): boolean };
  #queued = 0;

  /** @param staying ids of models that are never unloaded by the scheduler itself */
  constructor(
    staying: { has(id: string): boolean },
    onChange: (slot: Slot, from: ModelState, reason: string | undefined) => void,
  ) {
    this.#staying = staying;
    this.#onChange = onChange;
  }

  /** Models that wait for their load to begin. */
  get queued(): number {
    return this.#queued;
  }

  all(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  get(key: string): Slot | undefined {
    return this.#slots.get(key);
  }

  slotOf(manifest: Manifest): Slot {
    // A request's way: the catalog hands out the same object until a version changes.
    let key = this.#keys.get(manifest);
    if (key === undefined) {
      key = modelKey(manifest);
      this.#keys.set(manifest, key);
    }
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = newSlot(key, manifest);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** From now on this is the version of its model that is wanted. */
  want(slot: Slot): void {
    slot.replacedAt = undefined;
    this.#wanted.set(slot.manifest.id, slot);
  }

  wanted(id: string): Slot | undefined {
    return this.#wanted.get(id);
  }

  isWanted(slot: Slot): boolean {
    return this.#wanted.get(slot.manifest.id) === slot;
  }

  /** Other versions of the same model. */
  others(slot: Slot): Slot[] {
    return [...this.all()].filter((other) => other !== slot && other.manifest.id === slot.manifest.id);
  }

  readyVersion(id: string): ReadySlot | undefined {
    for (const slot of this.#slots.values()) if (slot.manifest.id === id && isReady(slot)) return slot;
    return undefined;
  }

  stays(slot: Slot): boolean {
    return this.#staying.has(slot.manifest.id) && this.isWanted(slot);
  }

  residents(): ResidentSlot[] {
    return [...this.all()].filter(isReady).map((slot) => ({
      slot,
      key: slot.key,
      memoryMb: slot.state.stay.memoryMb,
      leases: slot.state.leases,
      readyAt: slot.state.readyAt,
      lastUsedAt: slot.state.lastUsedAt,
      stays: this.stays(slot),
      keepAliveMs: slot.keepAliveMs,
    }));
  }

  /** The only way to another state. */
  change(slot: Slot, state: SlotState, reason?: string): void {
    const from = slot.state.kind;
    if (from === 'QUEUED') this.#queued--;
    if (state.kind === 'QUEUED') this.#queued++;
    slot.state = state;
    this.#onChange(slot, from, reason);
  }

  /** Versions that had been replaced by then and have come to rest are of no use to anybody. */
  forgetReplaced(by: number): void {
    for (const { key, state, remains, replacedAt } of this.#slots.values()) {
      const isOver = (state.kind === 'UNLOADED' || state.kind === 'FAILED') && remains === 0;
      if (isOver && replacedAt !== undefined && replacedAt <= by) this.#slots.delete(key);
    }
  }
}

export function isReady(slot: Slot): slot is ReadySlot {
  return slot.state.kind === 'READY';
}

export function isQueued(slot: Slot): slot is QueuedSlot {
  return slot.state.kind === 'QUEUED';
}

export function isLoadingSlot(slot: Slot): slot is LoadingSlot {
  return isLoading(slot.state);
}

function newSlot(key: string, manifest: Manifest): Slot {
  return {
    key,
    manifest,
    bytesTotal: runtimeFiles(manifest).reduce((sum, { size }) => sum + size, 0),
    state: { kind: 'UNLOADED' },
    waiters: new Set(),
    isPreload: false,
    attempts: 0,
    failedSeries: 0,
    lastFailure: undefined,
    crashes: 0,
    crashedAt: undefined,
    recycledAt: undefined,
    replacedAt: undefined,
    keepAliveMs: undefined,
    lastLoadMs: undefined,
    remains: 0,
  };
}
