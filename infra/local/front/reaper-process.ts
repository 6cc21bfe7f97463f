import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * Ends the front's children when the front has ended, however it ended: a stopped child can't notice by itself. The front
 * holds the other end of standard input and says `+pid` and `-pid` over it; when it closes, whatever is left is killed and
 * the front's folder (the first argument) removed. A process of its own session, so that Ctrl-C does not end it first.
 */
const children = new Set<number>();
const [, , folder] = process.argv;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) children.add(pid);
    else children.delete(pid);
  })
  .on('close', () => {
    for (const pid of children) kill(pid);
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
