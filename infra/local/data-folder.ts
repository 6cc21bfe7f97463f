import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another run keeps its content in this folder. */
export class FolderTakenError extends Error {
  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.name = 'FolderTakenError';
  }
}

/** Makes the folder this process's own until `release`: two runs over one folder would destroy each other's content. @throws FolderTakenError */
export function claimFolder(folder: string): { release(): void } {
  const file = join(folder, 'owner.pid');
  mkdirSync(folder, { recursive: true });
  const owner = readOwner(file);
  if (owner !== undefined && isAlive(owner)) throw new FolderTakenError(folder, owner);
  writeFileSync(file, String(process.pid));
  return { release: () => rmSync(file, { force: true }) };
}

function readOwner(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
