import type { MemoryReader, MemoryReading } from '../../shared/host/memory.ts';

/** The memory of a process as the test says it is. */
export class HandMemory implements MemoryReader {
  limitMb = 1_000;
  /** Of the process beside its models. */
  baseMb = 100;
  /** Of its models, by whoever holds it. */
  readonly held = new Map<object, number>();
  isReadable = true;

  get rssMb(): number {
    let sum = this.baseMb;
    for (const mb of this.held.values()) sum += mb;
    return sum;
  }

  read(): MemoryReading | undefined {
    return this.isReadable ? { limitMb: this.limitMb, rssMb: this.rssMb } : undefined;
  }
}
