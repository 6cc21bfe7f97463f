import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { type Stores, startStores } from '../stores.ts';
import type { Crowd, CrowdRequest, CrowdStart } from './crowd.ts';
import { type Herd, reportOf } from './report.ts';

const REQUESTS = 200;
/** Every one of them holds a model of its own in memory when nobody shares. */
const UNHARDENED_REQUESTS = 24;

/** What the keys of each set of models end in. */
const MODELS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['translate-en-es']],
  ['_3_models', ['translate-en-es', 'translate-es-en', 'language-detection']],
]);

/** A crowd of cold requests in one process, which is what brought the old server down. */
export const herd: Benchmark = {
  name: 'herd',
  description: `${REQUESTS} cold requests at once against one alone, and against each loading for itself`,
  targets: {
    loads_per_model: { atMost: 1 },
    p99_vs_single: { atMost: 1.3 },
    loads_per_model_3_models: { atMost: 1 },
    p99_vs_single_3_models: { atMost: 1.3 },
  },
  defaultRounds: 5,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const [program, , modelFolders] = await Promise.all([
      bundleProgram(join(import.meta.dirname, 'crowd.ts'), folders.bench),
      bundleFunctions(folders.functions),
      buildModels(folders.models),
    ]);
    const stores = await startStores(modelFolders);
    const herds = new Map<string, Herd[]>(Array.from(MODELS.keys(), (suffix) => [suffix, []]));
    try {
      onProgress('one process that does not count');
      await coldCrowd(program, stores, 'host', { models: ['translate-en-es'], requests: 1 });
      for (let round = 1; round <= rounds; round++) {
        onProgress(`round ${round} of ${rounds}`);
        for (const [suffix, models] of MODELS) herds.get(suffix)?.push(await measure(program, stores, models));
      }
      return reportOf(herds);
    } finally {
      await stores.close();
    }
  },
};

async function measure(program: string, stores: Stores, models: readonly string[]): Promise<Herd> {
  const crowd = (way: CrowdStart['way'], requests: number) => coldCrowd(program, stores, way, { models, requests });
  return {
    alone: await crowd('host', models.length),
    crowd: await crowd('host', REQUESTS),
    small: await crowd('host', UNHARDENED_REQUESTS),
    unhardened: await crowd('each for itself', UNHARDENED_REQUESTS),
  };
}

async function coldCrowd(
  program: string,
  stores: Stores,
  way: CrowdStart['way'],
  request: CrowdRequest,
): Promise<Crowd> {
  const cache = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  const start: CrowdStart = { bundle: folders.inference, way };
  const environment = { ...stores.environment, CASALINGUA_CACHE_FOLDER: cache };
  const child = startChild<CrowdRequest, Crowd>(program, start, environment);
  try {
    return await child.call(request);
  } finally {
    await child.end();
    await rm(cache, { recursive: true, force: true });
  }
}
