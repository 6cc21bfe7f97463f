import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildLanguageDetection } from '../../../infra/models/language-detection/convert.ts';
import { generateModel } from '../../support/generated-model.ts';
import { modelFolder } from '../../support/real-model.ts';
import type { Benchmark } from '../benchmark.ts';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { type Stores, startStores } from '../stores.ts';
import type { Cycle } from './cycle.ts';
import type { OursStart } from './ours.ts';
import type { PeerStart } from './peer.ts';
import { type Measured, reportOf, SETTLING_CYCLES } from './report.ts';

const MODEL = 'generated';
const WEIGHTS_MB = 200;
const CYCLES = 50;
/** It keeps its heap from the first on, so that a few tell all. */
const PEER_CYCLES = 9;

interface Programs {
  readonly ours: string;
  readonly peer: string;
}

/** Whether memory comes back when a model goes, and stays back. */
export const unload: Benchmark = {
  name: 'unload',
  description: `memory over ${CYCLES} loads and unloads of a ${WEIGHTS_MB} MB model, against session.release()`,
  targets: { rss_growth_50_cycles: { atMost: 0.05 }, rss_returned: { atLeast: 0.9 } },
  defaultRounds: 1,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const source = (name: string) => join(import.meta.dirname, name);
    const [ours, peer] = await Promise.all([
      bundleProgram(source('ours.ts'), join(folders.bench, 'unload')),
      // The engine finds its WebAssembly beside itself.
      bundleProgram(source('peer.ts'), join(folders.bench, 'unload'), ['onnxruntime-web']),
      bundleFunctions(folders.functions),
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
    try {
      const model = join(folder, 'model');
      const { manifest } = await generated(model);
      const sizeMb = manifest.files.reduce((sum, { size }) => sum + size, 0) / 2 ** 20;
      const stores = await startStores([model]);
      try {
        const measured: Measured[] = [];
        for (let round = 1; round <= rounds; round++) {
          onProgress(`round ${round} of ${rounds}`);
          measured.push(await measure({ ours, peer }, stores, folder));
        }
        return reportOf(sizeMb, measured);
      } finally {
        await stores.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** It borrows the features of language detection from where the tests build it. */
async function generated(folder: string) {
  const borrowed = modelFolder['language-detection'];
  if (!existsSync(borrowed)) await buildLanguageDetection(borrowed);
  return generateModel(folder, { id: MODEL, weightsMb: WEIGHTS_MB });
}

async function measure(programs: Programs, stores: Stores, folder: string): Promise<Measured> {
  const oursStart: OursStart = { bundle: folders.inference, model: MODEL };
  const environment = { ...stores.environment, CASALINGUA_CACHE_FOLDER: join(folder, 'cache') };
  const peerStart: PeerStart = { graph: join(folder, 'model', 'model.onnx') };
  const plain = { PATH: stores.environment['PATH'] ?? '' };
  return {
    ours: await cycles(startChild(programs.ours, oursStart, environment), SETTLING_CYCLES + CYCLES),
    peer: await cycles(startChild(programs.peer, peerStart, plain), PEER_CYCLES),
  };
}

async function cycles(child: Child<object, Cycle>, count: number): Promise<Cycle[]> {
  const done: Cycle[] = [];
  try {
    while (done.length < count) done.push(await child.call({}));
  } finally {
    await child.end();
  }
  return done;
}
