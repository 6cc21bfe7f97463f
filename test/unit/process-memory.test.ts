import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { createProcessMemory, type MemorySources } from '../../shared/host/process-memory.ts';

const MB = 2 ** 20;
/** What a kernel writes for "none" in version 1: the largest number, rounded down to a page. */
const NO_LIMIT_V1 = '9223372036854771712\n';
/** What Node answers on Linux when there is no limit. */
const NO_LIMIT_NODE = 2 ** 64;

const fileError = (code: string) => Object.assign(new Error(code), { code });

/** A machine of 16 GB without containers, whose process uses 100 MB; a file that holds an Error throws it. */
function machine(changes: Partial<MemorySources> & { files?: Record<string, string | Error> } = {}): MemorySources {
  const { files = {}, ...sources } = changes;
  return {
    env: {},
    readText: (path) => {
      const found = files[path] ?? fileError('ENOENT');
      if (found instanceof Error) throw found;
      return found;
    },
    constrainedMemory: () => NO_LIMIT_NODE,
    totalMemory: () => 16384 * MB,
    rss: () => 100 * MB,
    ...sources,
  };
}

const limitOf = (sources: MemorySources) => createProcessMemory(undefined, sources).read()?.limitMb;

/** As a host with both versions lists the groups of a process. */
const bothVersions = (path: string) => `12:pids:${path}\n9:memory:${path}\n1:name=systemd:${path}\n0::${path}\n`;

describe('the limit of a process', () => {
  test.each<[string, Parameters<typeof machine>[0], number]>([
    ['the whole machine where there is no container, as on macOS', {}, 16384],
    ['Lambda’s own word', { env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769' } }, 1769],
    [
      'of a container on version 2, which sees itself as the root',
      { files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${512 * MB}\n` } },
      512,
    ],
    [
      'of its own group on version 2, below one without a limit',
      {
        files: {
          '/proc/self/cgroup': '0::/user.slice/user-1000.slice/session-2.scope\n',
          '/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope/memory.max': `${700 * MB}\n`,
          '/sys/fs/cgroup/user.slice/user-1000.slice/memory.max': 'max\n',
          '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
        },
      },
      700,
    ],
    [
      'of an ancestor that allows less',
      {
        files: {
          '/proc/self/cgroup': '0::/kubepods.slice/pod7/container9\n',
          '/sys/fs/cgroup/kubepods.slice/pod7/container9/memory.max': 'max\n',
          '/sys/fs/cgroup/kubepods.slice/pod7/memory.max': `${600 * MB}\n`,
          '/sys/fs/cgroup/kubepods.slice/memory.max': `${9000 * MB}\n`,
        },
      },
      600,
    ],
    [
      'of the mount’s root when the group lies outside of what the container sees',
      { files: { '/proc/self/cgroup': '0::/../../job\n', '/sys/fs/cgroup/memory.max': `${300 * MB}\n` } },
      300,
    ],
    [
      'of a container on version 1, whose path is the host’s',
      {
        files: {
          '/proc/self/cgroup': bothVersions('/docker/0f1e2d'),
          '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${1024 * MB}\n`,
        },
      },
      1024,
    ],
    [
      'of a nested group on version 1',
      {
        files: {
          '/proc/self/cgroup': '4:cpu,memory:/jobs/a:b\n0::/\n',
          '/sys/fs/cgroup/memory/jobs/a:b/memory.limit_in_bytes': `${800 * MB}\n`,
          '/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': NO_LIMIT_V1,
          '/sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT_V1,
        },
      },
      800,
    ],
    [
      'the machine’s when version 1 sets none',
      {
        files: {
          '/proc/self/cgroup': bothVersions('/'),
          '/sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT_V1,
        },
      },
      16384,
    ],
    [
      'the machine’s when version 2 sets none',
      { files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' } },
      16384,
    ],
    ['what Node knows', { constrainedMemory: () => 400 * MB }, 400],
    ['not Node’s "unknown"', { constrainedMemory: () => 0 }, 16384],
    ['not a Node that has no word for it', { constrainedMemory: () => undefined }, 16384],
    [
      'the smallest of all',
      {
        env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024' },
        files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${900 * MB}\n` },
        constrainedMemory: () => 950 * MB,
      },
      900,
    ],
    [
      'the machine’s when that is less than what was granted',
      { env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '10240' }, totalMemory: () => 2048 * MB },
      2048,
    ],
    [
      'a known one beside another that cannot be read',
      { env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024' }, files: { '/proc/self/cgroup': fileError('EACCES') } },
      1024,
    ],
    [
      'a known one when the machine’s size cannot be told',
      { constrainedMemory: () => 400 * MB, totalMemory: () => 0 },
      400,
    ],
  ])('is %s', (_, changes, expected) => {
    expect(limitOf(machine(changes))).toBe(expected);
  });

  test('is what the settings say, whatever the machine says', () => {
    const lambda = machine({ env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024' } });
    const unreadable = machine({ totalMemory: () => Number.NaN });

    expect(createProcessMemory(300, lambda).read()).toEqual({ limitMb: 300, rssMb: 100 });
    expect(createProcessMemory(20_000, lambda).read()).toEqual({ limitMb: 20_000, rssMb: 100 });
    expect(createProcessMemory(300, unreadable).read()).toEqual({ limitMb: 300, rssMb: 100 });
  });

  test.each<[string, Parameters<typeof machine>[0]]>([
    ['Lambda’s word is none', { env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: 'plenty' } }],
    ['Lambda’s word is empty', { env: { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '' } }],
    ['the list of groups may not be read', { files: { '/proc/self/cgroup': fileError('EACCES') } }],
    [
      'the limit may not be read',
      { files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': fileError('EIO') } },
    ],
    ['the limit is no number', { files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '12 GB' } }],
    ['the limit is empty', { files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '' } }],
    ['the machine’s size is no number', { totalMemory: () => Number.NaN }],
    ['the machine’s size is 0', { totalMemory: () => 0 }],
    [
      'asking for the machine’s size fails',
      {
        totalMemory: () => {
          throw new Error('no such call');
        },
      },
    ],
  ])('cannot be told when %s', (_, changes) => {
    expect(limitOf(machine(changes))).toBeUndefined();
  });
});

describe('what a process uses', () => {
  test('is read anew each time, the limit once', () => {
    let rss = 100 * MB;
    let total = 1000 * MB;
    const memory = createProcessMemory(undefined, machine({ rss: () => rss, totalMemory: () => total }));
    rss = 250 * MB;
    total = 2000 * MB;

    expect(memory.read()).toEqual({ limitMb: 1000, rssMb: 250 });
  });

  test.each<[string, () => number]>([
    ['not a number', () => Number.NaN],
    ['endless', () => Number.POSITIVE_INFINITY],
    ['0', () => 0],
    ['negative', () => -1],
    [
      'an error',
      () => {
        throw new Error('ENOENT: no such file, /proc/self/stat');
      },
    ],
  ])('cannot be told when it is %s; later it can again', (_, wrong) => {
    let rss = wrong;
    const memory = createProcessMemory(undefined, machine({ rss: () => rss() }));

    expect(memory.read()).toBeUndefined();
    rss = () => 120 * MB;
    expect(memory.read()?.rssMb).toBe(120);
  });
});

test('on this machine, a process uses more than nothing and less than its limit, which the machine has', () => {
  const reading = createProcessMemory(undefined).read();

  expect(reading?.rssMb).toBeGreaterThan(10);
  expect(reading?.limitMb).toBeGreaterThan(reading?.rssMb ?? Number.POSITIVE_INFINITY);
  expect(reading?.limitMb).toBeLessThanOrEqual(totalmem() / MB);
});
