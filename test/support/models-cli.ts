import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run models`, with these variables and no others but the path. */
export function models(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', join(import.meta.dirname, '../../infra/models/cli.ts'), ...args];
    execFile(process.execPath, command, { env: { PATH: process.env['PATH'], ...env } }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}
