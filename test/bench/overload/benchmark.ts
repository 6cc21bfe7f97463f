import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark, RunOptions } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { startStores } from '../stores.ts';
import { capacityOf, type Generator, inWords, loadAt, startGenerator, TIMES } from './loads.ts';
import { plotOf } from './plot.ts';
import { COMMON_JS } from './programs.ts';
import { type Measured, medianReport, reportOf } from './report.ts';
import type { ServiceReport, ServiceRequest } from './service.ts';

type Service = Child<ServiceRequest, ServiceReport>;

/** Enough to fill a batch while the one before it is at work. */
const CALLERS = 64;
const GATES = ['on', 'off'] as const;

interface Sides extends Readonly<Record<(typeof GATES)[number], Service>> {
  readonly generator: Generator;
}

/** The service in one process under more and more load, with its gate and without. */
export const overload: Benchmark = {
  name: 'overload',
  description: 'answers in time under up to ten times the load that can be served, with the gate and without',
  targets: {
    goodput_10x: { atLeast: 0.95 },
    deadline_misses_10x: { atMost: 0.01 },
    p99_10x_vs_1x: { atMost: 1.5 },
    estimate_error: { atMost: 0.2 },
    wrong_refusals: { atMost: 0 },
  },
  defaultRounds: 1,
  async run({ rounds, onProgress }) {
    return withSides(onProgress, async (sides) => {
      onProgress('warming, and the capacity');
      const capacities: number[] = [];
      for (const gate of GATES)
        capacities.push(await capacityOf(await originOf(sides[gate]), sides.generator, CALLERS));
      const capacity = Math.min(...capacities);
      onProgress(`capacity: ${capacity.toFixed(0)} requests a second`);
      const all: Measured[][] = [];
      for (let round = 0; round < rounds; round++) {
        const measured: Measured[] = [];
        for (const times of TIMES) {
          for (const gate of GATES) {
            const load = await measure(sides, gate, times, times * capacity, 1 + round);
            measured.push(load);
            onProgress(`${times} times, gate ${gate}: ${inWords(load)}; service ${load.serviceCpu.toFixed(2)} cores`);
          }
        }
        all.push(measured);
      }
      const plot = join(folders.bench, 'overload.svg');
      await writeFile(plot, plotOf(capacity, all[0] ?? []));
      onProgress(`the plot is in ${plot}`);
      return medianReport(all.map((measured) => reportOf(capacity, measured)));
    });
  },
};

async function originOf(service: Service): Promise<string> {
  const { port } = await service.call({ type: 'report' });
  return `http://127.0.0.1:${port}`;
}

async function measure(
  { generator, ...services }: Sides,
  gate: Measured['gate'],
  times: number,
  perSecond: number,
  seed: number,
): Promise<Measured> {
  const service = services[gate];
  const origin = await originOf(service);
  const before = await service.call({ type: 'report' });
  const started = performance.now();
  const load = await loadAt(origin, generator, perSecond, seed);
  const tookMs = performance.now() - started;
  const { cpuMs, admission } = await service.call({ type: 'report' });
  return { times, gate, ...load, serviceCpu: (cpuMs - before.cpuMs) / tookMs, admission };
}

async function withSides<Result>(
  onProgress: RunOptions['onProgress'],
  work: (sides: Sides) => Promise<Result>,
): Promise<Result> {
  onProgress('building');
  const [program] = await Promise.all([
    bundleProgram(join(import.meta.dirname, 'service.ts'), folders.bench, COMMON_JS),
    bundleFunctions(folders.functions),
    buildModels(folders.models),
  ]);
  const stores = await startStores([folders.publishedModel]);
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  const startService = (gate: Measured['gate']): Service =>
    startChild(
      program,
      { bundle: folders.inference },
      {
        ...stores.environment,
        CASALINGUA_CACHE_FOLDER: join(folder, gate),
        CASALINGUA_ADMISSION_ENABLED: String(gate === 'on'),
      },
    );
  const sides: Sides = { on: startService('on'), off: startService('off'), generator: await startGenerator() };
  try {
    return await work(sides);
  } finally {
    await Promise.all([sides.on.end(), sides.off.end(), sides.generator.end()]);
    await stores.close();
    await rm(folder, { recursive: true, force: true });
  }
}
