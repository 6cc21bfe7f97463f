import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../infra/models/import/import-model.ts';
import type { ImportOptions } from '../../infra/models/import/import-options.ts';
import { graphFacts } from '../../infra/models/onnx/graph-facts.ts';
import { readGraphFile } from '../../infra/models/onnx/graph-file.ts';
import { optimiseGraph } from '../../infra/models/onnx/optimise-graph.ts';
import { makeFloatFolder } from '../../infra/models/profile/float-folder.ts';
import { profileFolder } from '../../infra/models/profile/profile-model.ts';
import { describeFolder } from '../../shared/repository/publisher.ts';
import type { OrtModule } from '../../shared/runtime/engine/ort-module.ts';
import { loadModel, ModelFiles } from '../../shared/runtime/load-model.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { chrf2 } from '../support/chrf.ts';
import { writeClassifier } from '../support/classifier-export.ts';
import { startEngine } from '../support/engine.ts';
import { exportedFolder, modelOnDisk } from '../support/real-model.ts';

/** Confidences and beams depend on every logit on their way. */
const asked: TranslationInput = {
  task: 'translation',
  texts: ['The rent is due on the first of the month.', 'Where is the key? It was here yesterday.'],
  source: 'en',
  target: 'es',
  numBeams: 4,
  alternatives: 2,
  withConfidence: true,
};

describe('an imported model', () => {
  let work: string;
  let module: OrtModule;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'casalingua-imported-'));
    module = await startEngine();
  });

  afterAll(() => rm(work, { recursive: true, force: true }));

  async function answerOf(folder: string) {
    const { manifest, files } = await modelOnDisk(folder);
    const [answer] = (await loadModel(module, manifest, new ModelFiles(manifest, files))).run([asked], () => false);
    return answer;
  }

  it('answers what the export answers, to the bit, whether or not it was optimised', async () => {
    const exported = await answerOf(exportedFolder);
    expect(exported).toMatchObject({ kind: 'done' });

    for (const optimise of [true, false]) {
      const folder = join(work, `optimised-${optimise}`);
      await importModel(exportedFolder, folder, { licence: 'CC-BY-4.0', optimise });

      expect(await answerOf(folder)).toEqual(exported);
    }
  });

  it('stores once what encoder and decoder share, and hardly anything in the graphs', async () => {
    const folder = join(work, 'optimised-true');
    const sizes = async (in_: string, ...names: string[]) =>
      (await Promise.all(names.map((name) => stat(join(in_, 'onnx', name))))).map(({ size }) => size);
    const graphs = ['encoder_model_quantized.onnx', 'decoder_model_merged_quantized.onnx'];
    const [encoder = 0, decoder = 0] = await sizes(exportedFolder, ...graphs);
    const [weights = 0] = await sizes(folder, 'weights.bin');

    expect(weights).toBeLessThan(0.85 * (encoder + decoder));
    expect(Math.max(...(await sizes(folder, ...graphs)))).toBeLessThan(100_000);
    const description = JSON.parse(await readFile(join(folder, 'casalingua.json'), 'utf8'));
    expect(description).toMatchObject({ id: 'translate-en-es', graphs: 'optimised', loading: { order: 'recorded' } });
  });

  it('computes in float32 throughout from the same int8 weights, and says nearly the same', async () => {
    const folder = join(work, 'optimised-true');
    const target = join(work, 'float32');
    const { manifest } = await modelOnDisk(folder);

    expect(await makeFloatFolder(folder, manifest, 'float32', target)).toBe(true);

    const graphs = manifest.files.filter(({ path }) => path.endsWith('.onnx'));
    const operators = graphs.flatMap(({ path }) => [...graphFacts(readGraphFile(join(target, path))).operators]);
    expect(operators).toContain('MatMul');
    expect(operators.filter((name) => /Quantize|Integer/.test(name))).toEqual([]);
    const [int8, float] = [await answerOf(folder), await answerOf(target)];
    const textsOf = (answer: typeof int8) =>
      answer?.kind === 'done' && answer.value.task === 'translation'
        ? answer.value.translations.map(({ text }) => text)
        : [];
    expect(textsOf(float)).toHaveLength(2);
    const lines = textsOf(float).map((answer, index) => ({ answer, references: [textsOf(int8)[index] ?? ''] }));
    expect(chrf2(lines)).toBeGreaterThan(70);
    // What has no such products any more stays as it is.
    expect(await makeFloatFolder(target, await describeFolder(target), 'float32', join(work, 'again'))).toBe(false);
  });

  it('computes in float32 a model whose weights are in its graphs, too', async () => {
    const folder = join(work, 'embedded');
    await cp(exportedFolder, folder, { recursive: true });
    for (const { path } of (await modelOnDisk(folder)).manifest.files.filter((file) => file.path.endsWith('.onnx'))) {
      await writeFile(join(folder, path), await optimiseGraph(await readFile(join(folder, path))));
    }
    const description = join(folder, 'casalingua.json');
    const described: object = JSON.parse(await readFile(description, 'utf8'));
    await writeFile(description, JSON.stringify({ ...described, graphs: 'optimised' }));
    const target = join(work, 'float32-embedded');

    expect(await makeFloatFolder(folder, await describeFolder(folder), 'float32', target)).toBe(true);

    expect(await answerOf(target)).toMatchObject({ kind: 'done' });
  });

  it('tells what the engine says of a graph that it cannot load', async () => {
    const folder = join(work, 'classifier');
    await writeClassifier(folder);
    const whyNot = (options: ImportOptions) =>
      importModel(folder, join(work, 'refused'), options).catch((thrown: Error) => thrown.message);
    const path = join(folder, 'onnx/model.onnx');
    const renamed = Buffer.from(
      (await readFile(path)).toString('latin1').replace('\x06Gather', '\x06Gabber'),
      'latin1',
    );
    await writeFile(path, renamed);

    expect(await whyNot({ optimise: false })).toMatch(/the engine cannot load it:.*Gabber/);
    expect(await whyNot({})).toMatch(/the engine cannot load onnx\/model\.onnx:.*Gabber/);
  });

  it('is profiled, and described as what was measured', async () => {
    const folder = join(work, 'optimised-true');

    const profile = await profileFolder(folder, { rounds: 1, measureMs: 100 });

    const manifest = await describeFolder(folder);
    const chosen = profile.variants.find((variant) => isDeepStrictEqual({ ...variant, ...profile.chosen }, variant));
    expect(manifest.memory).toEqual(chosen?.memory);
    expect(manifest.profile).toEqual(profile);
    expect(manifest.loading?.prepacking ?? true).toBe(profile.chosen.prepacking);
    expect(new Set(profile.variants.map(({ compute }) => compute))).toEqual(
      new Set(['as imported', 'float projection', 'float32']),
    );
    expect(new Set(profile.variants.map(({ tiers }) => tiers)).size).toBe(3);
    for (const { memory, load, speed } of profile.variants) {
      expect(memory.peakMb).toBeGreaterThanOrEqual(memory.residentMb);
      expect(load.readyMs).toBeGreaterThanOrEqual(load.warmingMs);
      expect(speed).toMatchObject({ unit: 'tokens' });
      expect(Math.min(speed.batch1, speed.batch32)).toBeGreaterThan(0);
    }
    expect(await answerOf(folder)).toMatchObject({ kind: 'done' });
  });
});
