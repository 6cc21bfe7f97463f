import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { startLocalRun } from '../support/local-run.ts';

const program = join(import.meta.dirname, '..', '..', 'infra', 'smoke', 'cli.ts');

function smoke(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', program, ...args], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

/** `npm run smoke` against functions that are cold: their models are loaded while it waits. */
describe('npm run smoke', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalRun();
  });
  afterAll(() => stack.close());

  it('passes against the local run, and prints a line for each check', async () => {
    const { code, stdout } = await smoke('--url', stack.url);

    expect(stdout.split('\n').filter((line) => / ok +\d{3} /.test(line))).toHaveLength(6);
    expect(code).toBe(0);
  });

  it('prints JSON for programs', async () => {
    const { stdout } = await smoke('--url', stack.url, '--json');

    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'translation', status: 200, tries: 1 }));
  });

  it('ends with 1 when callers are to prove who they are, and strangers are served', async () => {
    const { code, stdout } = await smoke('--url', stack.url, '--key', stack.apiKey ?? '');

    expect(stdout).toContain('strangers are refused: status 200 instead of 401, 403');
    expect(code).toBe(1);
  });

  it('ends with 1 when nobody answers', async () => {
    const { code, stdout } = await smoke('--url', 'http://127.0.0.1:9', '--patience', '0');

    expect(stdout).toContain('health: no answer');
    expect(code).toBe(1);
  });

  it.each([
    ['--url', 'translate.example'],
    ['--patience', '5'],
    ['--url', 'http://127.0.0.1:9', '--header', 'key'],
  ])('ends with 2 after wrong usage: %s %s', async (...args) => {
    expect(await smoke(...args)).toMatchObject({ code: 2 });
  });
});
