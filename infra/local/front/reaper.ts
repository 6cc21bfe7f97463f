import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Reaper {
  readonly pid: number | undefined;
  watch(pid: number): void;
  forget(pid: number): void;
  /** Resolves when every child that is left is killed and the folder removed. */
  close(): Promise<void>;
}

/** Starts the process that outlives this one for as long as it takes to end its children. */
export function startReaper(program: string, folder: string): Reaper {
  const child = spawn(process.execPath, [program, folder], {
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(child, 'exit');
  child.unref();
  const { stdin } = child;
  // When the reaper itself was killed, there is nobody to tell.
  stdin.on('error', () => {});
  return {
    pid: child.pid,
    watch: (pid) => void stdin.write(`+${pid}\n`),
    forget: (pid) => void stdin.write(`-${pid}\n`),
    async close() {
      // Now it is waited for, by a process that may have nothing else to do.
      child.ref();
      stdin.end();
      await ended;
    },
  };
}
