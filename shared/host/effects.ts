import type { ModelLoadingSettings } from '../config/model-loading.ts';
import type { CasaLinguaError } from '../errors.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import type { LoadedWorker } from './model-loader.ts';
import type { ModelState } from './model-state.ts';
import type { Failure, Load, Slot, Stay } from './slot.ts';
import type { SlotTable } from './slot-table.ts';

/** What the scheduler has others do. None of these may call the scheduler before it returns. */
export interface Effects {
  /** Ends in `loaded` or `loadEnded`, and tells its progress meanwhile. */
  startLoad(load: Load): void;
  /** Gives the load up: it still ends in `loaded` or `loadEnded`. */
  stopLoad(load: Load, reason: CasaLinguaError): void;
  /** Ends in `workerEnded`. */
  endWorker(stay: Stay, worker: LoadedWorker): void;
  changed(slot: Slot, from: ModelState, reason: string | undefined): void;
  /** A READY worker died; an end did not come in time; a load may begin without a permit, since the store is away. */
  noticed(event: 'crashed' | 'lost' | 'unpermitted', slot: Slot, failure?: Failure): void;
}

/** What all parts of the scheduler stand on. */
export interface Ground {
  readonly settings: ModelLoadingSettings;
  readonly ledger: MemoryLedger;
  readonly clock: { wall(): number; awake(): number };
  /** 0 up to 1. */
  readonly random: () => number;
  readonly effects: Effects;
  readonly table: SlotTable;
}
