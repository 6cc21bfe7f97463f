import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { bundleLocalPrograms } from '../../../infra/bundle-local.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import { startLocal } from '../../../infra/local/local-stack.ts';
import type { Benchmark } from '../benchmark.ts';
import { folders } from '../folders.ts';
import { capacityOf, inWords, loadAt, startGenerator, TIMES } from './loads.ts';
import type { Level } from './outcome.ts';
import { fleetReportOf, medianReport } from './report.ts';

const INSTANCES = 2;

/** The same loads on instances that serve one request at a time each, behind the local front. */
export const overloadFleet: Benchmark = {
  name: 'overload-fleet',
  description: `the same loads on ${INSTANCES} instances of the local fleet, whose front refuses whom no instance is free for`,
  targets: {},
  defaultRounds: 1,
  async run({ rounds, onProgress }) {
    onProgress('building');
    await Promise.all([
      bundleFunctions(folders.functions),
      bundleLocalPrograms(join(folders.bench, 'local')),
      buildModels(folders.models),
    ]);
    const stack = await startLocal({
      buildFolder: folders.bench,
      modelFolders: [folders.publishedModel],
      instances: { inference: INSTANCES },
      // Greedy, as the other benchmarks are.
      variables: { CASALINGUA_NUM_BEAMS: '1' },
    });
    const generator = await startGenerator();
    try {
      onProgress('warming, and the capacity');
      const capacity = await capacityOf(stack.url, generator, INSTANCES);
      onProgress(`capacity: ${capacity.toFixed(0)} requests a second`);
      const reports = [];
      for (let round = 0; round < rounds; round++) {
        const levels = new Map<number, Level>();
        for (const times of TIMES) {
          const load = await loadAt(stack.url, generator, times * capacity, 1 + round);
          levels.set(times, load.level);
          onProgress(`${times} times: ${inWords(load)}`);
        }
        reports.push(fleetReportOf(capacity, levels));
      }
      return medianReport(reports);
    } finally {
      await generator.end();
      await stack.close();
    }
  },
};
