import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { now } from './print-mark.ts';

export interface Ended {
  /** Ms since the epoch, with fractions, right before the process was started. */
  readonly spawnedAt: number;
  readonly output: string;
}

/** Runs a program with one argument until it ends. @throws when it fails */
export async function runToEnd(
  program: string,
  start: unknown,
  environment: Readonly<Record<string, string>>,
): Promise<Ended> {
  const spawnedAt = now();
  const child = spawn(process.execPath, [program, JSON.stringify(start)], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}`);
  return { spawnedAt, output };
}
