/**
 * transformers.js, as a user would call it, on one of two engines. In Node it takes onnxruntime-node by `require`; for
 * WebAssembly the module cache answers that with onnxruntime-web.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, sep } from 'node:path';
import { serve } from '../serve.ts';
import { type Round, type RoundRequest, runRound, type SideStart } from './rounds.ts';

export interface PeerStart extends SideStart {
  readonly engine: 'web' | 'node';
  /** The model's folder, in the Hugging Face layout. */
  readonly model: string;
}

const { engine, model, sentences } = JSON.parse(process.argv[2] ?? '') as PeerStart;
const require = createRequire(import.meta.url);
const web = require.resolve('onnxruntime-web');
if (engine === 'web') {
  require(web);
  require.cache[require.resolve('onnxruntime-node')] = require.cache[web];
}
const { env, pipeline } = await import('@huggingface/transformers');
env.allowRemoteModels = false;
env.localModelPath = dirname(model) + sep;
env.useWasmCache = false;
if (engine === 'web') {
  const { wasm } = env.backends.onnx;
  if (wasm === undefined) throw new Error('transformers.js has no WebAssembly engine here');
  wasm.wasmPaths = dirname(web) + sep;
  wasm.numThreads = 1;
}
const translator = await pipeline('translation', basename(model), {
  dtype: 'q8',
  session_options: engine === 'web' ? { executionProviders: ['wasm'] } : { intraOpNumThreads: 1, interOpNumThreads: 1 },
});
await translator(['Good morning.'], { num_beams: 1 });
await checkEngine();

serve<RoundRequest, Round>(({ batch }) =>
  runRound(sentences, batch, async (texts) => {
    const answers = await translator([...texts], { num_beams: 1 });
    return answers.map((answer) => answer.translation_text);
  }),
);

/** Where the system tells: that the engine which was asked for is the one at work. */
async function checkEngine(): Promise<void> {
  if (process.platform !== 'linux') return;
  const isNative = (await readFile('/proc/self/maps', 'utf8')).includes('libonnxruntime');
  if (isNative !== (engine === 'node')) throw new Error(`the engine at work is not that of onnxruntime-${engine}`);
}
