import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/process-state.ts';

const program = join(import.meta.dirname, '..', '..', 'infra', 'local', 'serve.ts');

/** Stores that the environment names are not asked for anything before a model is wanted. */
const elsewhere = { AWS_REGION: 'eu-central-1', CASALINGUA_MODEL_BUCKET: 'models', CASALINGUA_TABLE: 'table' };
const itsOwn = {};

describe('npm run serve', () => {
  let temporary: string;
  let children: ChildProcess[];
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'casalingua-test-'));
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  });

  const spawnServe = (port: string, stores: Record<string, string> = elsewhere) => {
    const env = { PATH: process.env['PATH'], TMPDIR: temporary, TEMP: temporary, TMP: temporary, ...stores };
    const child = spawn(process.execPath, ['--import', 'tsx', program, '--port', port], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const urlOf = async (child: ReturnType<typeof spawnServe>): Promise<string> => {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /in one process, is on (\S+)\. /.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error('it ended before it served');
  };
  const leftovers = () => readdirSync(temporary).filter((name) => name.startsWith('casalingua'));

  it('serves until Ctrl-C, which may come twice, and leaves nothing behind', async () => {
    const child = spawnServe('0', itsOwn);
    const answer = await fetch(`${await urlOf(child)}/health`);
    const ended = once(child, 'exit');

    child.kill('SIGINT');
    child.kill('SIGINT');

    expect(answer.status).toBe(200);
    expect(await ended).toEqual([0, null]);
    expect(leftovers()).toEqual([]);
  });

  it('leaves nothing behind when it is killed', async () => {
    const child = spawnServe('0');
    await urlOf(child);

    child.kill('SIGKILL');

    await until(() => leftovers().length === 0);
  });

  it('says in plain words that its port is taken', async () => {
    const { port } = new URL(await urlOf(spawnServe('0')));
    const second = spawnServe(port);
    const ended = once(second, 'exit');

    expect(await text(second.stderr)).toBe(`port ${port} on 127.0.0.1 is taken\n`);
    expect(await ended).toEqual([1, null]);
  });

  it('refuses what is not a port', async () => {
    const child = spawnServe('http');
    const ended = once(child, 'exit');

    expect(await text(child.stderr)).toContain('"http" is not a port');
    expect(await ended).toEqual([1, null]);
  });
});
