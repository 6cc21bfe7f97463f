import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalOptions, LocalStack } from '../../infra/local/local-stack.ts';
import { inferenceBundle, startLocalRun } from './local-run.ts';
import { copyWithSwitch, type SwitchedBundle } from './local-switched-bundle.ts';

export interface SwitchedRun {
  readonly stack: LocalStack;
  readonly bundle: SwitchedBundle;
  close(): Promise<void>;
}

/** The whole local run, whose inference function's engines can be made to fail. */
export async function startSwitchedRun(options: Partial<LocalOptions>): Promise<SwitchedRun> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-switched-run-'));
  const functions = join(inferenceBundle, '..');
  await cp(functions, join(folder, 'functions'), { recursive: true });
  await cp(join(functions, '..', 'local'), join(folder, 'local'), { recursive: true });
  const inference = join(folder, 'functions', 'inference');
  await rm(inference, { recursive: true });
  const bundle = await copyWithSwitch(inferenceBundle, inference);
  const stack = await startLocalRun({ ...options, buildFolder: folder });
  return {
    stack,
    bundle,
    async close() {
      await stack.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
