import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { median } from '../statistics.ts';
import { startStores } from '../stores.ts';
import type { LoopRequest, LoopStart, Timed } from './loop.ts';

const LEASES = 100_000;
const WARM_UPS = 4;
const MODEL = 'language-detection';

/** What a request pays the host for a model that is there. */
export const lease: Benchmark = {
  name: 'lease',
  description: 'a lease and its release, of a model that is ready',
  targets: { lease_ns: { atMost: 1000 } },
  defaultRounds: 15,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const [program] = await Promise.all([
      bundleProgram(join(import.meta.dirname, 'loop.ts'), folders.bench),
      bundleFunctions(folders.functions),
      buildModels(folders.models),
    ]);
    const stores = await startStores([join(folders.models, MODEL)]);
    const cache = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
    const start: LoopStart = { bundle: folders.inference, model: MODEL };
    const child = startChild<LoopRequest, Timed>(program, start, {
      ...stores.environment,
      CASALINGUA_CACHE_FOLDER: cache,
    });
    try {
      onProgress(`${rounds} rounds of ${LEASES} leases`);
      const measured: Timed[] = [];
      for (let round = -WARM_UPS; round < rounds; round++) {
        const timed = await child.call({ leases: LEASES });
        if (round >= 0) measured.push(timed);
      }
      return reportOf(measured);
    } finally {
      await child.end();
      await stores.close();
      await rm(cache, { recursive: true, force: true });
    }
  },
};

function reportOf(measured: readonly Timed[]) {
  const of = (key: keyof Timed) => measured.map((timed) => timed[key]);
  return {
    figures: {
      lease_ns: median(of('oneByOne')),
      lease_200_at_once_ns: median(of('crowded')),
      await_alone_ns: median(of('floor')),
      fastest_lease_ns: Math.min(...of('oneByOne')),
      slowest_lease_ns: Math.max(...of('oneByOne')),
    },
    ratios: {},
  };
}
