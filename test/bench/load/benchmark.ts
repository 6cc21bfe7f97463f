import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import { modelProcess } from '../../../infra/model-process.ts';
import type { Benchmark, Target } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { type Stores, startStores } from '../stores.ts';
import type { DownloadStart } from './download.ts';
import type { Measured } from './measured.ts';
import { type BenchModel, detection, generated, graphsOf, keyOf, translation, weightsOf } from './models.ts';
import type { OursStart } from './ours.ts';
import type { PlainStart } from './plain.ts';
import { type LoadRound, type LoadRounds, reportOf } from './report.ts';
import type { SlowProxyStart } from './slow-proxy.ts';

const SIZES_MB = [50, 200, 1000];
/** A gigabyte takes 20 s each time. */
const LARGE_MB = 1000;
const BYTES_PER_SECOND = 50 * 2 ** 20;

interface Programs {
  readonly ours: string;
  readonly download: string;
  readonly plain: string;
  readonly proxy: string;
}

/** From nothing to a model that has answered: streamed, against the least that could do it and against what is usual. */
export const load: Benchmark = {
  name: 'load',
  description: `cold loads of ${SIZES_MB.join(', ')} MB and of the shipped models, S3 at 50 MB/s and on loopback`,
  targets: {
    loop_delay_p99_ms: { atMost: 50 },
    ...eachSize('ready_vs_floor', { atMost: 1.15 }),
    ...eachSize('after_download_vs_download', { atMost: 0.1 }),
    ...eachSize('peak_rss_vs_weights', { atMost: 2.1 }),
    ...eachSize('resident_vs_weights', { atMost: 2 }),
  },
  defaultRounds: 3,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const programs = await build();
    const measured: LoadRounds[] = [];
    const models: ((folder: string) => Promise<BenchModel>)[] = [
      ...SIZES_MB.map((size) => (folder: string) => generated(folder, size)),
      translation,
      detection,
    ];
    for (const make of models) {
      // One model at a time: a gigabyte lies here in both layouts, in S3, and in a cache folder.
      const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
      try {
        const model = await make(folder);
        const isLarge = model.weightsBytes >= LARGE_MB * 2 ** 20;
        measured.push(...(await measureModel(programs, model, isLarge ? 1 : rounds, onProgress)));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    return reportOf(measured);
  },
};

async function build(): Promise<Programs> {
  const bundle = (name: string, external: readonly string[] = []) =>
    bundleProgram(join(import.meta.dirname, `${name}.ts`), join(folders.bench, 'load'), external);
  const [ours, download, plain, proxy] = await Promise.all([
    bundle('ours'),
    bundle('download'),
    // The engine finds its WebAssembly beside itself.
    bundle('plain', ['onnxruntime-web']),
    bundle('slow-proxy'),
    bundleFunctions(folders.functions),
    buildModels(folders.models),
  ]);
  return { ours, download, plain, proxy };
}

async function measureModel(
  programs: Programs,
  model: BenchModel,
  rounds: number,
  onProgress: (line: string) => void,
): Promise<LoadRounds[]> {
  const layouts = new Set([model.ours.folder, model.embedded.folder]);
  const stores = await startStores([...layouts]);
  const s3 = stores.environment['AWS_ENDPOINT_URL_S3'] ?? '';
  const start: SlowProxyStart = { target: s3, bytesPerSecond: BYTES_PER_SECOND };
  const proxy = startChild<object, { endpoint: string }>(programs.proxy, start, path(stores));
  try {
    const { endpoint } = await proxy.call({});
    const connections = new Map([
      ['', endpoint],
      ['_loopback', s3],
    ]);
    const measured: LoadRounds[] = [];
    for (const [suffix, url] of connections) {
      const done: LoadRound[] = [];
      while (done.length < rounds) {
        onProgress(`${model.key}${suffix}: round ${done.length + 1} of ${rounds}`);
        done.push(await measureRound(programs, stores, url, model));
      }
      const weightsMb = model.isLarge ? model.weightsBytes / 2 ** 20 : undefined;
      measured.push({ key: `${model.key}${suffix}`, weightsMb, isLimited: suffix === '', rounds: done });
    }
    return measured;
  } finally {
    await proxy.end();
    await stores.close();
  }
}

/** Each way once, in a fresh process. */
async function measureRound(
  programs: Programs,
  stores: Stores,
  s3: string,
  { ours, embedded, ask, plainAsk }: BenchModel,
): Promise<LoadRound> {
  const optimisation = ours.manifest.graphs === 'optimised' ? 'basic' : 'all';
  const plain = (way: PlainStart['way'], layout: typeof ours, at: (path: string) => string) => {
    const path = weightsOf(layout);
    const weights = path === undefined ? {} : { weights: at(path) };
    const graphs = graphsOf(layout).map(at);
    const bucket = stores.environment['CASALINGUA_MODEL_BUCKET'] ?? '';
    const start: PlainStart = { way, graphs, bucket, optimisation, ask: plainAsk, ...weights };
    // The floor's process is started as ours is, the others' as everybody starts one.
    return fresh(programs.plain, start, way === 'create' ? stores.environment : withoutOurs(stores), s3);
  };
  const oursStart: OursStart = { bundle: folders.inference, model: ours.manifest.id, ask };
  const downloadStart: DownloadStart = { bundle: folders.inference, model: ours.manifest };
  const naive = await plain('naive', embedded, (file) => keyOf(embedded, file));
  // As production's functions are told which models they serve.
  const deployed = { ...stores.environment, CASALINGUA_MODELS: ours.manifest.id };
  const round: LoadRound = {
    naive,
    ours: await fresh(programs.ours, oursStart, deployed, s3),
    download: await fresh(programs.download, downloadStart, stores.environment, s3),
    create: await plain('create', ours, (file) => join(ours.folder, file)),
  };
  return ours === embedded ? round : { ...round, external: await plain('external', ours, (file) => keyOf(ours, file)) };
}

async function fresh(
  program: string,
  start: object,
  environment: Stores['environment'],
  s3: string,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
  const child: Child<object, Measured> = startChild(program, start, {
    ...environment,
    AWS_ENDPOINT_URL_S3: s3,
    CASALINGUA_CACHE_FOLDER: folder,
    CASALINGUA_CACHE_MB: '2000',
  });
  try {
    return await child.call({});
  } finally {
    await child.end();
    await rm(folder, { recursive: true, force: true });
  }
}

function withoutOurs({ environment }: Stores): Stores['environment'] {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !(name in modelProcess)));
}

function path(stores: Stores): Record<string, string> {
  return { PATH: stores.environment['PATH'] ?? '' };
}

function eachSize(key: string, target: Target): Record<string, Target> {
  return Object.fromEntries(SIZES_MB.map((size) => [`${key}_${size}`, target]));
}
