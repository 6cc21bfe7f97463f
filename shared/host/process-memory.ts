import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { posix } from 'node:path';
import { isFileError } from '../repository/file-errors.ts';
import type { MemoryReader } from './memory.ts';

/** What this process and its machine tell of memory. Each may throw; the reader does not. */
export interface MemorySources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file's whole text. @throws as the file system does */
  readText(path: string): string;
  /** Bytes. Where Node cannot tell: 0, undefined or far more than any machine has. */
  constrainedMemory(): number | undefined;
  /** Bytes. */
  totalMemory(): number;
  /** Bytes. */
  rss(): number;
}

const MB = 2 ** 20;
/** MB; "no limit" is written as a number beyond any machine, another one by each kernel and by Node. */
const BEYOND_ANY_MACHINE = 2 ** 30;
const CGROUPS = '/sys/fs/cgroup';

/** One source's word: MB, or that it sets no limit, or that it sets one that cannot be read. */
type Limit = number | 'none' | 'unreadable';

/**
 * Reads the memory of this process. The limit is read once: the smallest of Lambda's, those of the process's own control
 * group and its ancestors, Node's and the machine's. Where a limit is set and none can be read, memory cannot be told: the
 * machine's size would promise more than there is.
 * @param limitMb replaces what is found
 */
export function createProcessMemory(
  limitMb: number | undefined,
  sources: MemorySources = systemSources(),
): MemoryReader {
  const limit = limitMb ?? findLimitMb(sources);
  return {
    read() {
      const rssMb = megabytes(sources.rss);
      return limit === undefined || rssMb === undefined ? undefined : { limitMb: limit, rssMb };
    },
  };
}

function findLimitMb(sources: MemorySources): number | undefined {
  const limits = [lambdaLimit(sources.env), ...controlGroupLimits(sources.readText)];
  const found = limits.filter((limit) => typeof limit === 'number');
  const constrained = megabytes(sources.constrainedMemory);
  const machine = megabytes(sources.totalMemory);
  const real = [...found, ...(constrained === undefined ? [] : [constrained])].filter(
    (limit) => limit <= (machine ?? BEYOND_ANY_MACHINE),
  );
  if (real.length > 0) return Math.min(...real);
  return limits.includes('unreadable') ? undefined : machine;
}

function lambdaLimit(env: MemorySources['env']): Limit {
  const text = env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'];
  return text === undefined ? 'none' : limitOf(text, 1);
}

/** A line of `/proc/self/cgroup` is `<number>:<controllers>:<path>`; version 2 names no controller. */
function controlGroupLimits(readText: MemorySources['readText']): Limit[] {
  const groups = textIfThere(readText, '/proc/self/cgroup');
  if (groups === undefined) return [];
  if (groups === 'unreadable') return ['unreadable'];
  return groups.split('\n').flatMap((line) => {
    const [, controllers, ...rest] = line.split(':');
    const path = rest.join(':');
    if (controllers === '') return limitsUpwards(readText, CGROUPS, path, 'memory.max');
    if (controllers?.split(',').includes('memory')) {
      return limitsUpwards(readText, `${CGROUPS}/memory`, path, 'memory.limit_in_bytes');
    }
    return [];
  });
}

/**
 * A group may use what its ancestors leave it. In a container the path may be that of the host, of which only the mount's
 * root is seen: the way up ends there in any case.
 */
function limitsUpwards(readText: MemorySources['readText'], mount: string, path: string, name: string): Limit[] {
  const limits: Limit[] = [];
  for (let group = posix.join('/', path); ; group = posix.dirname(group)) {
    const text = textIfThere(readText, posix.join(mount, group, name));
    if (text !== undefined) limits.push(text === 'unreadable' ? text : limitOf(text, MB));
    if (group === '/') return limits;
  }
}

function textIfThere(readText: MemorySources['readText'], path: string): string | 'unreadable' | undefined {
  try {
    return readText(path);
  } catch (thrown) {
    return isFileError(thrown, 'ENOENT') || isFileError(thrown, 'ENOTDIR') ? undefined : 'unreadable';
  }
}

function limitOf(text: string, unit: number): Limit {
  const word = text.trim();
  // Version 2 has this word; version 1 used to take -1 for it.
  if (word === 'max' || word === '-1') return 'none';
  return /^\d+$/.test(word) && Number(word) > 0 ? Number(word) / unit : 'unreadable';
}

function megabytes(read: () => number | undefined): number | undefined {
  try {
    const bytes = read();
    return bytes !== undefined && Number.isFinite(bytes) && bytes > 0 ? bytes / MB : undefined;
  } catch {
    return undefined;
  }
}

function systemSources(): MemorySources {
  return {
    env: process.env,
    readText: (path) => readFileSync(path, 'utf8'),
    constrainedMemory: () => process.constrainedMemory(),
    totalMemory: totalmem,
    rss: () => process.memoryUsage.rss(),
  };
}
