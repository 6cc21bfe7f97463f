import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { withFloatProjection } from '../../infra/models/onnx/float-projection.ts';
import { Message } from '../../infra/models/onnx/message.ts';
import { optimiseGraph } from '../../infra/models/onnx/optimise-graph.ts';
import { type OrtModule, startOrtModule } from '../../shared/runtime/engine/ort-module.ts';
import type { HostTensor } from '../../shared/runtime/engine/session.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';

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

describe('the graphs of the shipped translations', () => {
  let module: OrtModule;

  beforeAll(async () => {
    const glue = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');
    const wasm = await readFile(glue.replace(/\.mjs$/, '.wasm'));
    module = await startOrtModule(pathToFileURL(glue), await WebAssembly.compile(wasm), 1);
  });

  const open = (folder: string, name: string) =>
    WasmSession.open(module, graphOf(folder, name), folder === 'infra/models' ? 'exported' : 'optimised');

  it('are optimised by the engine to the same bits', async () => {
    const feeds = { input_ids: int64([1, 5], [17, 300, 2000, 9, 0]), attention_mask: int64([1, 5], [1, 1, 1, 1, 1]) };
    const exported = await open('infra/models', ENCODER);
    const optimised = await open('build/models', ENCODER);

    const [expected] = exported.run(feeds, ['last_hidden_state']);
    const [answer] = optimised.run(feeds, ['last_hidden_state']);

    expect(answer?.data).toEqual(expected?.data);
    const count = async (folder: string) =>
      operatorsOf(Message.decode(await readFile(graphOf(folder, ENCODER))).messages(7)[0] as Message).length;
    expect(await count('build/models')).toBeLessThan((await count('infra/models')) / 3);
  });

  it('project onto the vocabulary in float, near what int8 gives', async () => {
    const cache = (kind: string) =>
      [0, 1].flatMap((layer) =>
        ['key', 'value'].map((part): [string, HostTensor] => [
          `past_key_values.${layer}.${kind}.${part}`,
          floats([1, 4, 0, 64], () => 0),
        ]),
      );
    const feeds = Object.fromEntries<HostTensor>([
      ['encoder_attention_mask', int64([1, 3], [1, 1, 1])],
      ['input_ids', int64([1, 1], [6000])],
      ['encoder_hidden_states', floats([1, 3, 256], (index) => Math.sin(index))],
      ...cache('decoder'),
      ...cache('encoder'),
      ['use_cache_branch', { type: 'bool', dims: [1], data: Uint8Array.of(0) }],
    ]);
    const exported = await open('infra/models', DECODER);
    const shipped = await open('build/models', DECODER);

    const expected = logitsOf(exported.run(feeds, ['logits']));
    const answer = logitsOf(shipped.run(feeds, ['logits']));

    const differences = answer.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)));
    const spread = Math.max(...expected) - Math.min(...expected);
    expect(Math.max(...differences)).toBeLessThan(0.03 * spread);
  });

  it('stay as they are without a projection onto a vocabulary', async () => {
    const encoder = await optimiseGraph(await readFile(graphOf('infra/models', ENCODER)));

    expect(withFloatProjection(encoder)).toBe(encoder);
  });

  it('come out the same bytes each time', async () => {
    const exported = await readFile(graphOf('infra/models', DECODER));

    const built = withFloatProjection(await optimiseGraph(exported));

    expect(Buffer.compare(built, await readFile(graphOf('build/models', DECODER)))).toBe(0);
  });

  it('say so when the file is no graph', async () => {
    await expect(optimiseGraph(new Uint8Array(100))).rejects.toThrow(/did not write the optimised graph/);
  });
});
