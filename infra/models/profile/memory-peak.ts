import { readFileSync, writeFileSync } from 'node:fs';

const MB = 2 ** 20;
const SAMPLE_MS = 5;

/** What a process grows by: at its peak, and at the end. Linux knows the peak itself; elsewhere samples have to do. */
export class MemoryPeak {
  readonly #base: number;
  readonly #sampling: NodeJS.Timeout;
  #sampled: number;

  constructor() {
    resetSystemPeak();
    this.#base = process.memoryUsage.rss();
    this.#sampled = this.#base;
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** MB, whole. */
  stop(): { readonly peakMb: number; readonly residentMb: number } {
    clearInterval(this.#sampling);
    const resident = this.#sample();
    const peak = Math.max(this.#sampled, systemPeak());
    const inMb = (bytes: number) => Math.max(1, Math.ceil((bytes - this.#base) / MB));
    return { peakMb: inMb(peak), residentMb: inMb(resident) };
  }

  #sample(): number {
    const resident = process.memoryUsage.rss();
    this.#sampled = Math.max(this.#sampled, resident);
    return resident;
  }
}

/** Begins the system's own record anew. */
function resetSystemPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: the record since the process's start is hardly higher.
  }
}

/** Bytes; 0 where the system does not tell. */
function systemPeak(): number {
  try {
    const found = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
