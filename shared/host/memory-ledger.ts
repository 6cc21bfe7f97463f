import type { MemoryProtectionSettings } from '../config/model-loading.ts';
import type { MemoryReader, MemoryReading } from './memory.ts';
import type { MemoryReport } from './model-host.ts';
import type { Stay } from './slot.ts';

/** What is kept free unless the configuration says so itself. */
const DEFAULT_MINIMUM_MB = 2048;
const DEFAULT_MINIMUM_SHARE = 0.15;

/**
 * Who has which part of the memory: every worker from its reservation until its thread has ended. What the process takes
 * beside them is measured while nothing is on its way in or out.
 */
export class MemoryLedger {
  readonly #settings: MemoryProtectionSettings;
  readonly #reader: MemoryReader;
  readonly #stays = new Set<Stay>();
  /** MB of the process beside its models: at the start, the least that was seen, and as seen last. */
  #leastBaseMb: number;
  #baseMb: number;

  constructor(settings: MemoryProtectionSettings, reader: MemoryReader) {
    this.#settings = settings;
    this.#reader = reader;
    this.#baseMb = reader.read()?.rssMb ?? 0;
    this.#leastBaseMb = this.#baseMb;
  }

  get isProtected(): boolean {
    return this.#settings.enabled;
  }

  /** MB of all stays. */
  get reservedMb(): number {
    let sum = 0;
    for (const stay of this.#stays) sum += stay.memoryMb;
    return sum;
  }

  read(): MemoryReading | undefined {
    return this.#reader.read();
  }

  add(stay: Stay): void {
    this.#stays.add(stay);
  }

  remove(stay: Stay): void {
    this.#stays.delete(stay);
  }

  has(stay: Stay): boolean {
    return this.#stays.has(stay);
  }

  stays(): Iterable<Stay> {
    return this.#stays;
  }

  /** MB that models may take together now; undefined when memory cannot be read. */
  budgetMb(): number | undefined {
    return this.#budgetBeside(this.#baseMb);
  }

  /** MB that models could take together in this process at its smallest. */
  largestBudgetMb(): number | undefined {
    return this.#budgetBeside(this.#leastBaseMb);
  }

  /** Measures the process beside its models. Call it only while no worker is on its way in or out. */
  observeBase(): void {
    const reading = this.#reader.read();
    if (reading === undefined) return;
    this.#baseMb = Math.max(0, reading.rssMb - this.reservedMb);
    this.#leastBaseMb = Math.min(this.#leastBaseMb, this.#baseMb);
  }

  /** Whether the process is so large that the platform may soon end it. */
  isAboveWatermark(): boolean {
    const reading = this.#settings.enabled ? this.#reader.read() : undefined;
    return reading !== undefined && reading.rssMb > (reading.limitMb * this.#settings.watermarkPercent) / 100;
  }

  report(): MemoryReport {
    const reading = this.#reader.read();
    return {
      protected: this.#settings.enabled,
      limitMb: reading?.limitMb,
      budgetMb: this.#budgetBeside(this.#baseMb, reading),
      rssMb: reading?.rssMb,
      reservedMb: this.reservedMb,
    };
  }

  #budgetBeside(baseMb: number, reading = this.#reader.read()): number | undefined {
    if (reading === undefined) return undefined;
    const minimumMb =
      this.#settings.minimumRequiredMb ?? Math.min(DEFAULT_MINIMUM_MB, DEFAULT_MINIMUM_SHARE * reading.limitMb);
    return Math.max(0, reading.limitMb - minimumMb - baseMb);
  }
}
