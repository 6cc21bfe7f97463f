/** One load and its end, as seen from outside. MB are of the whole process. */
export interface Cycle {
  readonly beforeMb: number;
  /** Loaded and asked once. */
  readonly readyMb: number;
  readonly afterMb: number;
  readonly loadMs: number;
  /** Until it has ended, as the program is told. */
  readonly endMs: number;
}

/** A loaded model's end. */
export type EndModel = () => Promise<unknown>;

/** Loads, asks once, ends, and looks at the memory in between. */
export async function runCycle(load: () => Promise<EndModel>, settled: () => Promise<number>): Promise<Cycle> {
  const beforeMb = await settled();
  const started = performance.now();
  const end = await load();
  const loadMs = performance.now() - started;
  const readyMb = await settled();
  const ending = performance.now();
  await end();
  const endMs = performance.now() - ending;
  return { beforeMb, readyMb, afterMb: await settled(), loadMs, endMs };
}
