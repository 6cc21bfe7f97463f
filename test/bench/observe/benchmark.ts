import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { referenceSentences } from '../sentences.ts';
import { startStores } from '../stores.ts';
import type { LoopRequest, LoopRound, LoopStart } from './loop.ts';
import { reportOf } from './report.ts';

const SENTENCES = 200;
const scopeFile = join(import.meta.dirname, '..', '..', '..', 'shared', 'observability', 'request-scope.ts');

type Loop = Child<{ readonly do: LoopRequest }, LoopRound | number>;

/** What logs, metrics and snapshots add to a request for one sentence. */
export const observe: Benchmark = {
  name: 'observe',
  description: 'what logs, metrics and snapshots add to the translation of one sentence',
  targets: { overhead_batch1: { atMost: 0.02 } },
  defaultRounds: 9,
  async run({ rounds: count, onProgress }) {
    onProgress('building');
    const program = join(import.meta.dirname, 'loop.ts');
    const [scopedProgram, unscopedProgram] = await Promise.all([
      bundleProgram(program, join(folders.bench, 'scoped')),
      bundleProgram(program, join(folders.bench, 'unscoped'), [], {
        [scopeFile]: join(import.meta.dirname, 'no-scope.ts'),
      }),
      bundleFunctions(folders.functions),
      buildModels(folders.models),
    ]);
    const stores = await startStores([folders.publishedModel]);
    const cache = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
    const start: LoopStart = {
      bundle: folders.inference,
      sentences: referenceSentences(SENTENCES).map(({ source }) => source),
    };
    const environment = { ...stores.environment, CASALINGUA_CACHE_FOLDER: cache };
    const scoped: Loop = startChild(scopedProgram, start, environment);
    const unscoped: Loop = startChild(unscopedProgram, start, environment);
    try {
      onProgress('warming');
      await scoped.call({ do: 'warm' });
      const rounds: LoopRound[] = [];
      for (let round = 0; round < count; round++) {
        onProgress(`round ${round + 1} of ${count}: ${SENTENCES} sentences on each side`);
        rounds.push((await scoped.call({ do: 'round' })) as LoopRound);
      }
      onProgress("the request's scope");
      const scopes = { scoped: [] as number[], unscoped: [] as number[] };
      for (let round = 0; round < count; round++) {
        scopes.scoped.push((await scoped.call({ do: 'nothing to translate' })) as number);
        scopes.unscoped.push((await unscoped.call({ do: 'nothing to translate' })) as number);
      }
      return reportOf({ rounds, ...scopes });
    } finally {
      await Promise.all([scoped.end(), unscoped.end()]);
      await stores.close();
      await rm(cache, { recursive: true, force: true });
    }
  },
};
