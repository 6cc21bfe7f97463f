import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import { modelProcess } from '../../../infra/model-process.ts';
import type { Benchmark } from '../benchmark.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { referenceSentences } from '../sentences.ts';
import { type Stores, startStores } from '../stores.ts';
import { translateEvent } from './event.ts';
import type { FloorStart } from './floor.ts';
import type { HandlerStart } from './handler-child.ts';
import { type ColdRound, reportOf } from './report.ts';
import { type Ended, runToEnd } from './run-to-end.ts';

const SENTENCES = 210;
const REPEATS = 9;

interface Programs {
  /** Hosts a bundle. */
  readonly handler: string;
  readonly floor: string;
  readonly bare: string;
}

/** From the start of a process to its first translation, and how soon it is as quick as a warm one. */
export const cold: Benchmark = {
  name: 'cold',
  description: 'process start to first translation, in phases, against the least that could do it',
  targets: {
    first_translation_vs_floor: { atMost: 1.25 },
    tenth_vs_warm: { atMost: 1.5 },
    init_vs_bare: { atMost: 1.3 },
  },
  defaultRounds: 11,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const programs = await build();
    const stores = await startStores([folders.publishedModel]);
    try {
      onProgress('one round that does not count');
      await measure(programs, stores);
      const measured: ColdRound[] = [];
      for (let round = 1; round <= rounds; round++) {
        onProgress(`round ${round} of ${rounds}`);
        measured.push(await measure(programs, stores));
      }
      return reportOf(measured);
    } finally {
      await stores.close();
    }
  },
};

async function build(): Promise<Programs> {
  const source = (name: string) => join(import.meta.dirname, name);
  const [handler, floor, bare] = await Promise.all([
    bundleProgram(source('handler-child.ts'), folders.bench),
    // The engine finds its WebAssembly beside itself.
    bundleProgram(source('floor.ts'), folders.bench, ['onnxruntime-web']),
    bundleProgram(source('bare-handler.ts'), folders.bench),
    bundleFunctions(folders.functions),
    buildModels(folders.models),
  ]);
  return { handler, floor, bare };
}

/** One of each, in turns. */
async function measure(programs: Programs, stores: Stores): Promise<ColdRound> {
  const sentences = referenceSentences(SENTENCES).map(({ source }) => source);
  const bundle = pathToFileURL(join(folders.inference, 'index.mjs')).href;
  const ours = (requests?: HandlerStart['requests']) =>
    withEmptyCache(stores, (environment) => {
      const start: HandlerStart = requests === undefined ? { bundle } : { bundle, requests };
      return runToEnd(programs.handler, start, environment);
    });
  const floor = (model: string, optimisation: FloorStart['optimisation']) => {
    const start: FloorStart = { model, optimisation, sentence: sentences[0] ?? '' };
    return runToEnd(programs.floor, start, { ...plain, ...modelProcess });
  };
  const plain = { PATH: stores.environment['PATH'] ?? '' };
  const bareStart: HandlerStart = { bundle: pathToFileURL(programs.bare).href };
  return {
    first: await ours({ event: translateEvent(), sentences, repeats: REPEATS }),
    // The same sessions as ours: the published graphs were optimised when they were built.
    floor: await floor(folders.publishedModel, 'basic'),
    floorExported: await floor(folders.exportedModel, 'all'),
    init: await ours(),
    bareInit: await runToEnd(programs.handler, bareStart, plain),
  };
}

async function withEmptyCache(
  stores: Stores,
  work: (environment: Readonly<Record<string, string>>) => Promise<Ended>,
): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  try {
    // As production's functions are told which models they serve.
    const served = { CASALINGUA_MODELS: basename(folders.publishedModel) };
    return await work({ ...stores.environment, ...served, CASALINGUA_CACHE_FOLDER: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
