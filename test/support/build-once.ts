import { join } from 'node:path';
import { bundleFunctions } from '../../infra/bundle.ts';
import { bundleLocalPrograms } from '../../infra/bundle-local.ts';
import { buildModels } from '../../infra/bundle-models.ts';

/** Vitest's global set-up: what the tests run against, the deployed bundles among it, is built once for the run. */
export async function setup(): Promise<void> {
  const build = join(import.meta.dirname, '..', '..', 'build');
  await Promise.all([
    bundleFunctions(join(build, 'functions')),
    bundleLocalPrograms(join(build, 'local')),
    buildModels(join(build, 'models')),
  ]);
}
