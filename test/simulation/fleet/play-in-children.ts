import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { addTallies, type FleetTally, type Range } from './fleet-tally.ts';

/** Histories that a child is given at once. */
const BATCH = 1_000;

/**
 * Plays the histories of these seeds in as many processes as there are cores.
 * @param onProgress told, after every batch, how many histories have been played, and how many of them went wrong
 * @throws Error when a process ends before it has answered
 */
export async function playInChildren(
  { from, count, instances }: Range,
  onProgress: (played: number, failed: number) => void,
): Promise<FleetTally> {
  const end = from + count;
  let next = from;
  let sum = addTallies([]);
  const work = async () => {
    const child = fork(fileURLToPath(new URL('simulate-child.ts', import.meta.url)));
    try {
      while (next < end) {
        const batch = { from: next, count: Math.min(BATCH, end - next), instances };
        next += batch.count;
        const tally = await playBatch(child, batch);
        sum = addTallies([sum, tally]);
        onProgress(sum.histories, sum.failures.length);
      }
    } finally {
      child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(count / BATCH)) }, work));
  return sum;
}

function playBatch(child: ChildProcess, batch: Range): Promise<FleetTally> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process of the simulation ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (tally: FleetTally) => {
      child.off('exit', ended);
      resolve(tally);
    });
    child.send(batch);
  });
}
