import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ExternalData, ExternalWeights } from '../../shared/runtime/engine/external-weights.ts';
import { currentHeap } from '../../shared/runtime/engine/heap-tensor.ts';
import type { OrtModule } from '../../shared/runtime/engine/ort-module.ts';
import { type SessionSettings, WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { WeightsFile } from '../../shared/runtime/engine/weights-file.ts';
import { ModelUnsupportedError } from '../../shared/runtime/errors.ts';
import { startEngine } from '../support/engine.ts';
import { generateModel } from '../support/generated-model.ts';

const MIB = 2 ** 20;

let folder: string;
let module: OrtModule;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casalingua-weights-'));
  await generateModel(join(folder, 'embedded'), { weightsMb: 12 });
  await generateModel(join(folder, 'external'), { weightsMb: 12, layout: 'external', order: [2, 0, 1] });
  module = await startEngine();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the graph answers with its weights from this file. */
async function answerWith(
  weights: ExternalWeights | undefined,
  { engine = module, settings = {} }: { engine?: OrtModule; settings?: SessionSettings } = {},
) {
  const layout = weights === undefined ? 'embedded' : 'external';
  const session = await WasmSession.open(engine, join(folder, layout, 'model.onnx'), 'exported', {
    ...settings,
    weights,
  });
  const features = { type: 'int32', dims: [3], data: Int32Array.of(1, 2, 3) } as const;
  const [answer] = session.run({ features }, ['log_probabilities']);
  return answer?.data;
}

async function withWeights<Value>(use: (weights: ExternalWeights) => Promise<Value>, path = 'external/weights.bin') {
  const file = new WeightsFile(join(folder, path));
  try {
    return await use(new ExternalWeights('weights.bin', file));
  } finally {
    file.close();
  }
}

/** The engine as a later version might be: it reads what is mounted in a way of its own. */
function engineThatReads(read: (data: ExternalData, begin: number, end: number) => Uint8Array): OrtModule {
  return Object.create(module, {
    mountExternalData: {
      value: (name: string, data: ExternalData) =>
        module.mountExternalData(name, {
          byteLength: data.byteLength,
          subarray: (begin, end) => read(data, begin, end),
        }),
    },
  });
}

describe('weights outside of the graph', () => {
  test('give the answers that weights inside it give, bit for bit; the engine asks for ranges and for nothing else', async () => {
    const embedded = await answerWith(undefined);

    await withWeights(async (weights) => {
      expect(await answerWith(weights)).toEqual(embedded);
      expect(weights.isMisread).toBe(false);
    });
  });

  test('are given whole to an engine that wants something else of them', async () => {
    const later = engineThatReads((data, begin, end) => (data as Uint8Array).slice(begin, end));

    await withWeights(async (weights) => {
      expect(await answerWith(weights, { engine: later })).toEqual(await answerWith(undefined));
      expect(weights.isMisread).toBe(true);
    });
  });

  test('are not read as a whole for a graph that the engine refuses anyway', async () => {
    await withWeights(async (weights) => {
      const whole = vi.spyOn(weights, 'whole');

      const opening = WasmSession.open(module, join(folder, 'external', 'features.bin'), 'exported', { weights });

      await expect(opening).rejects.toThrow(ModelUnsupportedError);
      expect(whole).not.toHaveBeenCalled();
    });
  });

  test('that are shorter than the graph says fail the session, in the engine’s words', async () => {
    await writeFile(join(folder, 'short.bin'), new Uint8Array(5 * MIB));

    await expect(withWeights((weights) => answerWith(weights), 'short.bin')).rejects.toThrow(ModelUnsupportedError);
  });

  test('that cannot be read fail the session with what the system says, which is not the model’s fault', async () => {
    const file = new WeightsFile(join(folder, 'external', 'weights.bin'));
    file.close();

    const opening = answerWith(new ExternalWeights('weights.bin', file));

    await expect(opening).rejects.toMatchObject({ code: 'EBADF', syscall: 'read' });
  });

  test('are known to the engine no longer than a session takes to be created', async () => {
    await withWeights(async (weights) => {
      await answerWith(weights);

      const opening = WasmSession.open(module, join(folder, 'external', 'model.onnx'), 'exported');

      await expect(opening).rejects.toThrow('external data');
    });
  });

  test('take less of the heap when they are not kept in packed form', async () => {
    const heapOf = async (prepacking: boolean) => {
      const engine = await startEngine();
      await withWeights((weights) => answerWith(weights, { engine, settings: { prepacking } }));
      return currentHeap(engine).byteLength;
    };

    expect((await heapOf(true)) - (await heapOf(false))).toBeGreaterThan(4 * MIB);
  });
});

test('a range that the file does not have is refused', async () => {
  const file = new WeightsFile(join(folder, 'external', 'weights.bin'));

  expect(() => file.read(new Uint8Array(10), file.size - 5)).toThrow(ModelUnsupportedError);

  file.close();
});

test('a file that is smaller than the room for a range is read as any other', async () => {
  await writeFile(join(folder, 'small.bin'), Uint8Array.of(1, 2, 3));

  await withWeights(async ({ data }) => expect([...data.subarray(1, 3)]).toEqual([2, 3]), 'small.bin');
});

test('a large range is read into room that is given back with the next', async () => {
  await withWeights(async ({ data }) => {
    expect(data.subarray(0, 12 * MIB).buffer.byteLength).toBe(12 * MIB);

    expect(data.subarray(0, 1).buffer.byteLength).toBe(8 * MIB);
  });
});
