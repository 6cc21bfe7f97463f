import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark, Report } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { referenceSentences } from '../sentences.ts';
import { median, medianRatio } from '../statistics.ts';
import { startStores } from '../stores.ts';
import type { CallersRequest, CallersRound, CallersStart, Side } from './callers.ts';

const CALLERS = [1, 32] as const;
const REQUESTS = 320;
const SIDES: readonly Side[] = ['batched', 'single'];

interface Rounds {
  readonly callers: number;
  readonly rounds: Readonly<Record<Side, readonly CallersRound[]>>;
}

/** Requests that wait together run together: what that is worth. */
export const batching: Benchmark = {
  name: 'batching',
  description: 'throughput of callers of one process with micro-batching against one run for each',
  targets: { throughput_32_vs_1: { atLeast: 2 } },
  defaultRounds: 7,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const [program] = await Promise.all([
      bundleProgram(join(import.meta.dirname, 'callers.ts'), folders.bench, ['prom-client']),
      bundleFunctions(folders.functions),
      buildModels(folders.models),
    ]);
    const stores = await startStores([folders.publishedModel]);
    const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
    const start: CallersStart = {
      bundle: folders.inference,
      sentences: referenceSentences(REQUESTS).map(({ source }) => source),
      caches: { batched: join(folder, 'batched'), single: join(folder, 'single') },
    };
    const child = startChild<CallersRequest, CallersRound>(program, start, stores.environment);
    try {
      onProgress('warming');
      await measure(child, 32, 2);
      const measured: Rounds[] = [];
      for (const callers of CALLERS) {
        onProgress(`${callers} callers: ${rounds} rounds of ${REQUESTS} requests on each side`);
        measured.push(await measure(child, callers, rounds));
      }
      return reportOf(measured);
    } finally {
      await child.end();
      await stores.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(child: Child<CallersRequest, CallersRound>, callers: number, count: number): Promise<Rounds> {
  const rounds = { batched: [] as CallersRound[], single: [] as CallersRound[] };
  for (let round = 0; round < count; round++) {
    for (const side of SIDES) rounds[side].push(await child.call({ side, callers, requests: REQUESTS }));
  }
  return { callers, rounds };
}

function reportOf(measured: readonly Rounds[]): Report {
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const { callers, rounds } of measured) {
    const perSecond = (side: Side) => rounds[side].map((round) => round.perSecond);
    ratios[`throughput_${callers}_vs_1`] = medianRatio(perSecond('batched'), perSecond('single'));
    for (const side of SIDES) figures[`${side}_${callers}_per_s`] = median(perSecond(side));
    figures[`requests_per_run_${callers}`] = median(rounds.batched.map(({ requestsPerRun }) => requestsPerRun));
  }
  return { figures, ratios };
}
