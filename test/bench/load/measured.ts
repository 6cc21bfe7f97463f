import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { settledMb } from '../unload/memory.ts';

/** One way to load a model, in a fresh process. MB are of the whole process. */
export interface Measured {
  /** Ms until it is READY, or else until the model has answered once; of a download alone, until every byte is there and verified. */
  readonly readyMs: number;
  /** Ms until every byte was there and verified; 0 where nothing is downloaded. */
  readonly downloadedMs: number;
  /** Processor time of all threads, which other work on the machine changes less. */
  readonly cpuMs: number;
  /** Before it began. */
  readonly baselineMb: number;
  readonly peakMb: number;
  readonly readyMb: number;
  /** Of the main thread's event loop, beyond the interval of its measurement. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
}

const LOOP_INTERVAL_MS = 2;

/** What a load tells as it gets there. */
export interface Milestones {
  /** Every byte is there. */
  downloaded(): void;
  /** READY, with one inference behind it; a load that does not tell is so when it ends. */
  ready(): void;
}

export async function measured(load: (reached: Milestones) => Promise<void>): Promise<Measured> {
  const baselineMb = await settledMb();
  const loop = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS });
  loop.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  let downloadedMs = 0;
  let readyMs: number | undefined;
  await load({
    downloaded() {
      downloadedMs = performance.now() - started;
    },
    ready() {
      readyMs = performance.now() - started;
    },
  });
  readyMs ??= performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  loop.disable();
  const delayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - LOOP_INTERVAL_MS);
  return {
    readyMs,
    downloadedMs,
    cpuMs: (user + system) / 1000,
    baselineMb,
    peakMb: peakMb(),
    readyMb: process.memoryUsage.rss() / 2 ** 20,
    loopDelayP99Ms: delayMs(loop.percentile(99)),
    loopDelayMaxMs: delayMs(loop.max),
  };
}

/** The most that was ever resident. Elsewhere than on Linux what started this process may have a part in it. */
function peakMb(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) / 1024;
  } catch {
    // There is no such file.
  }
  return process.resourceUsage().maxRSS / 1024;
}
