import type { FleetMemory } from './fleet-memory.ts';

interface Cancellable {
  readonly signal?: AbortSignal;
}

/**
 * What became of the fleet's memory, one snapshot for each five minutes. Every method throws StoreUnavailableError,
 * StoreRefusedError or the signal's reason.
 */
export interface MemoryHistory {
  /** @param slot as `slotOf` gives it. @returns false, and changes nothing, when there is one of that slot */
  write(slot: number, memory: FleetMemory, options?: Cancellable): Promise<boolean>;
  /** Those of the slots from this one on, the oldest first; what cannot be understood is left out. */
  readFrom(slot: number, options?: Cancellable): Promise<readonly FleetMemory[]>;
}
