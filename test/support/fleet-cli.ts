import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `npm run fleet -- …` as an operator does. */
export function fleetCli(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
  return operatorCli('fleet', environment, ...args);
}

/** Runs a command of `infra` as an operator does: in a process of its own, with this environment and no other. */
export function operatorCli(
  name: 'fleet' | 'keys',
  environment: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Outcome> {
  const command = ['--import', 'tsx', join(root, 'infra', name, 'cli.ts'), ...args];
  const env = { PATH: process.env['PATH'], ...environment };
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env, cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}
