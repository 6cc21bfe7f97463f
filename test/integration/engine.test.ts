import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { HeapTensor } from '../../shared/runtime/engine/heap-tensor.ts';
import type { OrtModule } from '../../shared/runtime/engine/ort-module.ts';
import type { HostTensor } from '../../shared/runtime/engine/session.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { InferenceFailedError, ModelUnsupportedError } from '../../shared/runtime/errors.ts';
import { startEngine } from '../support/engine.ts';
import { exportedFolder } from '../support/real-model.ts';

const encoderFile = join(exportedFolder, 'onnx', 'encoder_model_quantized.onnx');
const decoderFile = join(exportedFolder, 'onnx', 'decoder_model_merged_quantized.onnx');

let module: OrtModule;
let encoder: WasmSession;
beforeAll(async () => {
  module = await startEngine();
  encoder = await WasmSession.open(module, encoderFile, 'exported');
});

/** Two sentences, the second padded; the tokens mean nothing. */
const source = {
  input_ids: { type: 'int64', dims: [2, 5], data: BigInt64Array.of(4n, 5n, 77n, 123n, 0n, 9n, 300n, 0n, 6000n, 6000n) },
  attention_mask: { type: 'int64', dims: [2, 5], data: BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 1n, 1n, 1n, 0n, 0n) },
} as const satisfies Record<string, HostTensor>;

test('onnxruntime-web has every function that we call', () => {
  const used = {
    PTR_SIZE: 'number',
    HEAPU8: 'object',
    stackSave: 'function',
    stackRestore: 'function',
    stackAlloc: 'function',
    getValue: 'function',
    UTF8ToString: 'function',
    stringToUTF8: 'function',
    lengthBytesUTF8: 'function',
    _malloc: 'function',
    _free: 'function',
    _OrtInit: 'function',
    _OrtGetLastError: 'function',
    _OrtCreateSessionOptions: 'function',
    _OrtAddSessionConfigEntry: 'function',
    _OrtReleaseSessionOptions: 'function',
    mountExternalData: 'function',
    unmountExternalData: 'function',
    _OrtCreateSession: 'function',
    _OrtGetInputOutputCount: 'function',
    _OrtGetInputOutputMetadata: 'function',
    _OrtFree: 'function',
    _OrtCreateTensor: 'function',
    _OrtGetTensorData: 'function',
    _OrtReleaseTensor: 'function',
    _OrtCreateRunOptions: 'function',
    _OrtRun: 'function',
  } as const satisfies Record<keyof OrtModule, string>;
  const names = Object.keys(used) as (keyof OrtModule)[];

  expect(Object.fromEntries(names.map((name) => [name, typeof module[name]]))).toEqual(used);
});

test('pointers have four bytes: what reads tables of them counts on it', () => {
  expect(module.PTR_SIZE).toBe(4);
});

describe('a graph answers what onnxruntime-web’s own API answers, bit for bit', () => {
  const viaPublicApi = async (file: string, feeds: Record<string, HostTensor>, fetches: readonly string[]) => {
    env.wasm.numThreads = 1;
    const session = await InferenceSession.create(await readFile(file), { executionProviders: ['wasm'] });
    const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]);
    const outputs = await session.run(Object.fromEntries(tensors), [...fetches]);
    const results = fetches.map((name) => ({ dims: outputs[name]?.dims, data: outputs[name]?.data }));
    await session.release();
    return results;
  };

  test('the encoder', async () => {
    const expected = await viaPublicApi(encoderFile, source, ['last_hidden_state']);

    const ours = encoder.run(source, ['last_hidden_state']);

    expect(ours[0]?.dims).toEqual([2, 5, 256]);
    expect(ours.map(({ dims, data }) => ({ dims, data }))).toEqual(expected);
  });

  test('the first step of the decoder, several outputs at once and empty inputs among the others', async () => {
    const decoder = await WasmSession.open(module, decoderFile, 'exported');
    const [hidden] = encoder.run(source, ['last_hidden_state']);
    const feeds: Record<string, HostTensor> = {
      input_ids: { type: 'int64', dims: [2, 1], data: BigInt64Array.of(6000n, 6000n) },
      encoder_attention_mask: source.attention_mask,
      encoder_hidden_states: hidden as HostTensor,
      use_cache_branch: { type: 'bool', dims: [1], data: Uint8Array.of(0) },
    };
    for (const name of decoder.inputNames.filter((input) => input.startsWith('past_key_values'))) {
      feeds[name] = { type: 'float32', dims: [2, 4, 0, 64], data: new Float32Array(0) };
    }
    const fetches = ['present.1.decoder.value', 'logits'];
    const expected = await viaPublicApi(decoderFile, feeds, fetches);

    const ours = decoder.run(feeds, fetches);

    expect(ours.map(({ dims }) => dims)).toEqual([
      [2, 4, 1, 64],
      [2, 1, 6001],
    ]);
    expect(ours.map(({ dims, data }) => ({ dims, data }))).toEqual(expected);
  });
});

describe('what cannot be', () => {
  test.each([
    ['a file that is no graph', async () => join(exportedFolder, 'tokenizer.json')],
    ['a file that is not there', async () => join(exportedFolder, 'nowhere.onnx')],
  ])('%s opens no session', async (_, file) => {
    await expect(WasmSession.open(module, await file(), 'exported')).rejects.toThrow();
  });

  test('a graph that the engine refuses is unsupported, in the engine’s words', async () => {
    const opening = WasmSession.open(module, join(exportedFolder, 'tokenizer.json'), 'exported');

    await expect(opening).rejects.toBeInstanceOf(ModelUnsupportedError);
    await expect(opening).rejects.toThrow(/^onnxruntime-web could not create a session: .*\w{4,}/);
  });

  test('a name that the graph does not have', () => {
    expect(encoder.inputNames).toEqual(['input_ids', 'attention_mask']);
    expect(() => encoder.run(source, ['logits'])).toThrow(ModelUnsupportedError);
    expect(() => encoder.run({ ids: source.input_ids }, ['last_hidden_state'])).toThrow('named ids');
  });

  test('inputs that do not fit fail one run, in the engine’s words, and the next one works', () => {
    const before = encoder.run(source, ['last_hidden_state']);
    const tooShort = { type: 'int64', dims: [1, 2], data: BigInt64Array.of(1n, 1n) } as const;

    expect(() => encoder.run({ ...source, attention_mask: tooShort }, ['last_hidden_state'])).toThrow(
      InferenceFailedError,
    );

    expect(encoder.run(source, ['last_hidden_state'])).toEqual(before);
  });
});

test('tensors stay right when the heap grows under them', () => {
  const tensor = HeapTensor.allocate(module, 'float32', [3]);
  tensor.float32().set([1.5, 2.5, 3.5]);
  const sizeBefore = module.HEAPU8.byteLength;

  const large = HeapTensor.allocate(module, 'float32', [sizeBefore / 4]);

  expect(module.HEAPU8.byteLength).toBeGreaterThan(sizeBefore);
  expect([...tensor.float32()]).toEqual([1.5, 2.5, 3.5]);
  tensor.float32().set([7], 1);
  expect([...tensor.rows('float32', [2, 1, 1]).float32()]).toEqual([3.5, 7, 7]);
  large.float32().set([42], large.elements - 1);
  expect(large.float32().at(-1)).toBe(42);
  large.release();
  tensor.release();
});
