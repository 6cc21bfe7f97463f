import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildGraphs } from '../../infra/bundle-models.ts';
import { writeGraphs } from '../../infra/models/layout/write-graphs.ts';
import { encodeOnnx } from '../../infra/models/onnx/encode-onnx.ts';
import { withFloatProjection } from '../../infra/models/onnx/float-projection.ts';
import { Message } from '../../infra/models/onnx/message.ts';
import { optimiseGraph } from '../../infra/models/onnx/optimise-graph.ts';
import { rehearsalGraph } from '../../infra/models/rehearsal-graph.ts';
import { type OrtModule, startOrtModule } from '../../shared/runtime/engine/ort-module.ts';
import type { HostTensor } from '../../shared/runtime/engine/session.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { ModelFiles } from '../../shared/runtime/load-model.ts';
import { rehearse } from '../../shared/runtime/rehearsal.ts';
import { startEngine } from '../support/engine.ts';
import { modelFolder, modelOnDisk } from '../support/real-model.ts';

const root = join(import.meta.dirname, '..', '..');
const graphOf = (folder: string, name: string) => join(root, folder, 'translate-en-es', 'onnx', name);
const ENCODER = 'encoder_model_quantized.onnx';
const DECODER = 'decoder_model_merged_quantized.onnx';

/** Names of a graph's operators, its branches' included. */
function operatorsOf(graph: Message): string[] {
  return graph
    .messages(1)
    .flatMap((node) => [
      node.text(4),
      ...node.messages(5).flatMap((attribute) => attribute.messages(6).flatMap(operatorsOf)),
    ]);
}

function int64(dims: number[], values: number[]): HostTensor {
  return { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) };
}

function floats(dims: number[], value: (index: number) => number): HostTensor {
  const data = Float32Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, i) => value(i));
  return { type: 'float32', dims, data };
}

function logitsOf([logits]: readonly HostTensor[]): number[] {
  if (logits?.type !== 'float32') throw new Error('the decoder gave no logits');
  return Array.from(logits.data);
}

/** A first step. */
function decoderFeeds(): Record<string, HostTensor> {
  const cache = (kind: string) =>
    [0, 1].flatMap((layer) =>
      ['key', 'value'].map((part): [string, HostTensor] => [
        `past_key_values.${layer}.${kind}.${part}`,
        floats([1, 4, 0, 64], () => 0),
      ]),
    );
  return Object.fromEntries<HostTensor>([
    ['encoder_attention_mask', int64([1, 3], [1, 1, 1])],
    ['input_ids', int64([1, 1], [6000])],
    ['encoder_hidden_states', floats([1, 3, 256], (index) => Math.sin(index))],
    ...cache('decoder'),
    ...cache('encoder'),
    ['use_cache_branch', { type: 'bool', dims: [1], data: Uint8Array.of(0) }],
  ]);
}

describe('the graphs of the shipped translations', () => {
  let module: OrtModule;
  /** Built once more, with their weights inside. */
  let folder: string;
  let again: Awaited<ReturnType<typeof buildGraphs>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-graphs-'));
    again = await buildGraphs('translate-en-es', join(folder, 'inside'));
    const glue = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');
    const wasm = await readFile(glue.replace(/\.mjs$/, '.wasm'));
    module = await startOrtModule(pathToFileURL(glue), await WebAssembly.compile(wasm), 1);
  });

  afterAll(() => rm(folder, { recursive: true }));

  const exportedGraph = (name: string) => WasmSession.open(module, graphOf('infra/models', name), 'exported');
  const shippedGraph = async (name: string) => {
    const { manifest, files } = await modelOnDisk(modelFolder['translate-en-es']);
    return new ModelFiles(manifest, files).withWeights((weights) =>
      WasmSession.open(module, graphOf('build/models', name), 'optimised', { weights }),
    );
  };

  it('are optimised by the engine to the same bits', async () => {
    const feeds = { input_ids: int64([1, 5], [17, 300, 2000, 9, 0]), attention_mask: int64([1, 5], [1, 1, 1, 1, 1]) };
    const exported = await exportedGraph(ENCODER);
    const optimised = await shippedGraph(ENCODER);

    const [expected] = exported.run(feeds, ['last_hidden_state']);
    const [answer] = optimised.run(feeds, ['last_hidden_state']);

    expect(answer?.data).toEqual(expected?.data);
    const count = async (folder: string) =>
      operatorsOf(Message.decode(await readFile(graphOf(folder, ENCODER))).messages(7)[0] as Message).length;
    expect(await count('build/models')).toBeLessThan((await count('infra/models')) / 3);
  });

  it('project onto the vocabulary in float, near what int8 gives', async () => {
    const exported = await exportedGraph(DECODER);
    const shipped = await shippedGraph(DECODER);

    const expected = logitsOf(exported.run(decoderFeeds(), ['logits']));
    const answer = logitsOf(shipped.run(decoderFeeds(), ['logits']));

    const differences = answer.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)));
    const spread = Math.max(...expected) - Math.min(...expected);
    expect(Math.max(...differences)).toBeLessThan(0.03 * spread);
  });

  it('stay as they are without a projection onto a vocabulary', async () => {
    const encoder = await optimiseGraph(await readFile(graphOf('infra/models', ENCODER)));

    expect(withFloatProjection(encoder)).toBe(encoder);
  });

  it('keep every weight outside, to be loaded while it arrives', async () => {
    for (const name of [ENCODER, DECODER])
      expect((await stat(graphOf('build/models', name))).size).toBeLessThan(100_000);
    const { manifest } = await modelOnDisk(modelFolder['translate-en-es']);

    expect(manifest).toMatchObject({
      loading: { order: 'recorded' },
      files: expect.arrayContaining([expect.objectContaining({ path: 'onnx/weights.bin', role: 'weights' })]),
    });
  });

  it('answer to the bit what they answer with their weights inside', async () => {
    const [, inside] = again;
    const withWeightsInside = await WasmSession.open(module, join(folder, 'inside', inside?.name ?? ''), 'optimised');

    const expected = withWeightsInside.run(decoderFeeds(), ['logits']);

    expect(logitsOf((await shippedGraph(DECODER)).run(decoderFeeds(), ['logits']))).toEqual(logitsOf(expected));
  });

  it('come out the same bytes each time', async () => {
    await writeGraphs(again, 'optimised', folder);

    for (const name of [ENCODER, DECODER, 'weights.bin']) {
      const [now, before] = [await readFile(join(folder, 'onnx', name)), await readFile(graphOf('build/models', name))];
      expect(now.equals(before)).toBe(true);
    }
  });

  it('say so when the file is no graph', async () => {
    await expect(optimiseGraph(new Uint8Array(100))).rejects.toThrow(/did not write the optimised graph/);
  });
});

describe('the graph that a worker without a model rehearses with', () => {
  it('has the operators of the shipped translations, but for what only moves a few numbers', async () => {
    const shipped = await Promise.all(
      [ENCODER, DECODER].map((name) => readFile(join(modelFolder['translate-en-es'], 'onnx', name))),
    );
    const [theirs, ours] = [shipped, [encodeOnnx(rehearsalGraph())]].map(
      (files) => new Set(files.flatMap((file) => Message.decode(file).messages(7).flatMap(operatorsOf))),
    );

    expect([...(theirs ?? [])].filter((operator) => !ours?.has(operator)).sort()).toEqual([
      'ConstantOfShape',
      'Greater',
      'Slice',
    ]);
  });

  it('is run four times as a first step and as a later one, by the engine that is deployed', async () => {
    const module = await startEngine();
    const run = module._OrtRun.bind(module);
    let runs = 0;
    const counted: OrtModule = Object.assign(Object.create(module) as OrtModule, {
      _OrtRun(...given: Parameters<OrtModule['_OrtRun']>) {
        runs += 1;
        return run(...given);
      },
    });

    await rehearse(counted, join(root, 'build', 'functions', 'inference', 'rehearsal.onnx'));

    expect(runs).toBe(8);
  });
});
