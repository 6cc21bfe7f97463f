import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark, RunOptions } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { embedWeights } from '../embedded-model.ts';
import { folders } from '../folders.ts';
import { installPeers } from '../install-peers.ts';
import { bundleProgram } from '../programs.ts';
import { referenceSentences } from '../sentences.ts';
import { startStores } from '../stores.ts';
import type { OursRequest, OursStart } from './ours.ts';
import type { Overhead } from './overhead.ts';
import type { PeerStart } from './peer.ts';
import { reportOf } from './report.ts';
import { type Round, type RoundRequest, type Rounds, sideNames } from './rounds.ts';

/** Each a process of its own, on one thread. */
interface Sides {
  readonly ours: Child<OursRequest, Round | Overhead | undefined>;
  readonly web: Child<RoundRequest, Round>;
  readonly node: Child<RoundRequest, Round>;
  readonly webPublished: Child<RoundRequest, Round>;
}

const BATCHES = [1, 8, 32] as const;
const SENTENCES = 200;

/** Against transformers.js, which one would use instead, on the same files: on WebAssembly as we are, and native. */
export const translate: Benchmark = {
  name: 'translate',
  description: 'warm translation against transformers.js, and what the app adds around the model',
  targets: {
    batch1_vs_transformersjs_web: { atMost: 0.7 },
    batch32_vs_transformersjs_web: { atMost: 0.7 },
    batch1_vs_transformersjs_node: { atMost: 2 },
    batch32_vs_transformersjs_node: { atMost: 2 },
    overhead_batch1: { atMost: 0.05 },
  },
  defaultRounds: 9,
  async run({ rounds, onProgress }) {
    const sentences = referenceSentences(SENTENCES);
    return withSides(
      sentences.map(({ source }) => source),
      onProgress,
      async (sides) => {
        await warmUp(sides, onProgress);
        const batches = new Map<number, Rounds>();
        for (const batch of BATCHES) {
          onProgress(`batch ${batch}: ${rounds} rounds of ${SENTENCES} sentences on each side`);
          batches.set(batch, await measure(sides, batch, rounds));
        }
        onProgress('all sentences in one call');
        const allAtOnce = await measureOurs(sides, SENTENCES, rounds);
        onProgress('requests through the app');
        const overheads: Overhead[] = [];
        for (let round = 0; round < rounds; round++) {
          overheads.push((await sides.ours.call({ type: 'overhead' })) as Overhead);
        }
        return reportOf({ sentences, batches, allAtOnce, overheads });
      },
    );
  },
};

async function measure(sides: Sides, batch: number, count: number): Promise<Rounds> {
  const rounds = { ours: [] as Round[], web: [] as Round[], node: [] as Round[], webPublished: [] as Round[] };
  for (let round = 0; round < count; round++) {
    for (const side of sideNames) {
      rounds[side].push((await sides[side].call({ type: 'round', batch })) as Round);
    }
  }
  return rounds;
}

async function measureOurs(sides: Sides, batch: number, count: number): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < count; round++) {
    rounds.push((await sides.ours.call({ type: 'round', batch })) as Round);
  }
  return rounds;
}

/** V8 compiles WebAssembly in tiers: 200 sentences, one by one and in each batch size, bring every side to its best. */
async function warmUp(sides: Sides, onProgress: RunOptions['onProgress']): Promise<void> {
  onProgress('warming every side');
  for (const batch of BATCHES) await measure(sides, batch, 1);
  await measureOurs(sides, SENTENCES, 1);
  await sides.ours.call({ type: 'warm app' });
}

async function withSides<Result>(
  sentences: readonly string[],
  onProgress: RunOptions['onProgress'],
  work: (sides: Sides) => Promise<Result>,
): Promise<Result> {
  await installPeers(onProgress);
  onProgress('building');
  const source = (name: string) => join(import.meta.dirname, name);
  const [ours, peer] = await Promise.all([
    bundleProgram(source('ours.ts'), folders.bench),
    bundleProgram(source('peer.ts'), folders.peerPrograms, ['@huggingface/transformers']),
    bundleFunctions(folders.functions),
    buildModels(folders.models),
  ]);
  await embedWeights(folders.publishedModel, folders.embeddedModel);
  const stores = await startStores([folders.publishedModel]);
  const cache = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  const plain = { PATH: stores.environment['PATH'] ?? '' };
  const startPeer = (engine: PeerStart['engine'], model = folders.exportedModel) => {
    const start: PeerStart = { engine, model, sentences };
    return startChild<RoundRequest, Round>(peer, start, plain);
  };
  const oursStart: OursStart = { bundle: folders.inference, model: folders.publishedModel, sentences };
  const sides: Sides = {
    ours: startChild(ours, oursStart, { ...stores.environment, CASALINGUA_CACHE_FOLDER: cache }),
    web: startPeer('web'),
    node: startPeer('node'),
    webPublished: startPeer('web', folders.embeddedModel),
  };
  try {
    return await work(sides);
  } finally {
    await Promise.all(Object.values(sides).map((side) => side.end()));
    await stores.close();
    await rm(cache, { recursive: true, force: true });
  }
}
