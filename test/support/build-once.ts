import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFunctions } from '../../infra/bundle.ts';
import { bundleLocalPrograms } from '../../infra/bundle-local.ts';
import { buildModels } from '../../infra/bundle-models.ts';

/** Vitest's global set-up: what the tests run against, the deployed bundles among it, is built once for the run. */
export async function setup(): Promise<void> {
  const root = join(import.meta.dirname, '..', '..');
  const build = join(root, 'build');
  const entries = ['functions/inference/index.ts', 'functions/control/index.ts', 'shared/runtime/worker.ts'];
  const wired = entries.every((entry) => existsSync(join(root, entry)));
  await Promise.all([
    wired ? bundleFunctions(join(build, 'functions')) : undefined,
    bundleLocalPrograms(join(build, 'local')),
    buildModels(join(build, 'models')),
  ]);
}
