import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';

/** Folder of a version in which every process that uses it keeps a mark, named after its owner. */
export const LEASES = 'leases';

/** One thing in the cache folder that takes room. */
export interface CacheEntry {
  readonly folder: string;
  readonly bytes: number;
  /** Wall clock, ms. */
  readonly usedAt: number;
  readonly inUse: boolean;
}

/** Every version in the cache folder. Files that vanish meanwhile count nothing. */
export async function cachedVersions(root: string, identity: ProcessIdentity, now: number): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const id of await namesIn(root)) {
    if (id.startsWith('.')) {
      continue;
    }
    for (const version of await namesIn(join(root, id))) {
      const folder = join(root, id, version);
      const used = await stat(join(folder, 'used')).catch(() => undefined);
      entries.push({
        folder,
        bytes: await bytesIn(folder),
        usedAt: used?.mtimeMs ?? 0,
        inUse: await isLeased(folder, identity, now),
      });
    }
  }
  return entries;
}

/** Bytes of all files below a folder. */
export async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const infos = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return infos.reduce((sum, info) => sum + (info?.isFile() ? info.size : 0), 0);
}

async function isLeased(folder: string, identity: ProcessIdentity, now: number): Promise<boolean> {
  for (const name of await namesIn(join(folder, LEASES))) {
    const info = await stat(join(folder, LEASES, name)).catch(() => undefined);
    const owner = name.split('~')[0] ?? '';
    if (info !== undefined && identity.isAlive(owner, now - info.mtimeMs)) {
      return true;
    }
  }
  return false;
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
