import { setTimeout as delay } from 'node:timers/promises';

/** Ms between two looks. */
const LOOK_MS = 10;
/** Looks at which it must not have fallen further. */
const STILL_LOOKS = 15;
/** MB; less is noise. */
const FALL_MB = 0.5;
/** Ms after which it is taken as it is. */
const LONGEST_MS = 5_000;

/** MB (2^20 bytes) that are resident now: code, heaps of all threads, WebAssembly. */
export function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Waits until the system has taken back what was given up, which it does a little later. */
export async function settledMb(): Promise<number> {
  let lowest = residentMb();
  let still = 0;
  for (const started = performance.now(); still < STILL_LOOKS && performance.now() - started < LONGEST_MS; still++) {
    await delay(LOOK_MS);
    const now = residentMb();
    if (now < lowest - FALL_MB) still = 0;
    lowest = Math.min(lowest, now);
  }
  return residentMb();
}
