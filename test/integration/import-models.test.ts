import { cp, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../infra/models/import/import-model.ts';
import type { ImportOptions } from '../../infra/models/import/import-options.ts';
import { pointToData, rewriteTensors } from '../../infra/models/onnx/external-data.ts';
import { Message } from '../../infra/models/onnx/message.ts';
import { PublishInvalidError } from '../../shared/repository/errors.ts';
import { loadModel, ModelFiles } from '../../shared/runtime/load-model.ts';
import { createTextTokenizer } from '../../shared/runtime/text-tokenizer.ts';
import { expectedProbabilities, writeClassifier } from '../support/classifier-export.ts';
import { startEngine } from '../support/engine.ts';
import { exportedFolder, modelOnDisk } from '../support/real-model.ts';

describe('importing', () => {
  let work: string;
  let made = 0;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'casalingua-import-test-'));
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  const fresh = () => join(work, `${made++}`);

  async function translation(change: (folder: string) => Promise<unknown> = async () => undefined): Promise<string> {
    const folder = fresh();
    await cp(exportedFolder, folder, { recursive: true });
    await change(folder);
    return folder;
  }

  async function classifier(
    ...options: Parameters<typeof writeClassifier> extends [string, ...infer Rest] ? Rest : never
  ) {
    const folder = fresh();
    await writeClassifier(folder, ...options);
    return folder;
  }

  async function whyNot(folder: string, options: ImportOptions = {}): Promise<string> {
    const failure = await importModel(folder, fresh(), { licence: 'MIT', ...options }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failure).toBeInstanceOf(PublishInvalidError);
    return (failure as Error).message;
  }

  it('takes a sequence classifier, which then tells languages as its graph says', async () => {
    const folder = await classifier();
    const out = fresh();
    await importModel(folder, out, { id: 'lid' });
    const { manifest, files } = await modelOnDisk(out);
    expect(manifest).toMatchObject({
      task: 'language-detection',
      classifier: 'transformer',
      languages: ['de', 'en', 'es'],
      licence: 'mit',
      // Of twelve positions two come before the first token's.
      maxSourceTokens: 10,
    });

    const model = await loadModel(await startEngine(), manifest, new ModelFiles(manifest, files));
    const texts = [
      'Where is the key?',
      'The rent is due on the first of the month, and not one day later than that.',
      '…',
    ];
    const [answer] = model.run([{ task: 'language-detection', texts, candidates: 3 }], () => false);

    const tokenizer = createTextTokenizer(JSON.parse(await readFile(join(out, 'tokenizer.json'), 'utf8')), {});
    const expected = texts.slice(0, 2).map((text) => {
      const { before, after } = tokenizer.frame;
      const tokens = [...before, ...tokenizer.encode(text).slice(0, 10 - before.length - after.length), ...after];
      const languages = ['en', 'es', 'de'];
      return expectedProbabilities(tokens, 3)
        .map((confidence, index) => ({ language: languages[index], confidence: expect.closeTo(confidence, 4) }))
        .sort((a, b) => b.confidence.sample - a.confidence.sample);
    });
    expect(answer).toEqual({ kind: 'done', value: { task: 'language-detection', detections: [...expected, []] } });
  });

  it('names everything that is missing or wrong at once', async () => {
    const folder = await translation(async (copy) => {
      await rm(join(copy, 'tokenizer.json'));
      await writeFile(join(copy, 'source.spm'), '');
      await rename(
        join(copy, 'onnx/decoder_model_merged_quantized.onnx'),
        join(copy, 'onnx/decoder_model_quantized.onnx'),
      );
      await rm(join(copy, 'README.md'));
    });

    const failure = await importModel(folder, fresh()).catch((thrown: Error) => thrown.message);

    expect(failure).toMatch(/no tokenizer\.json: it has to be made from source\.spm/);
    expect(failure).toMatch(/no onnx\/decoder_model_merged\.onnx: only onnx\/decoder_model_quantized\.onnx, .* merged/);
    expect(failure).toMatch(/nothing tells the licence/);
  });

  it('refuses graphs that want or give something else', async () => {
    expect(await whyNot(await classifier({ inputs: ['input_ids', 'attention_mask', 'bbox'] }))).toMatch(
      /onnx\/model\.onnx wants what is not fed here: bbox/,
    );
    expect(await whyNot(await classifier({ inputs: ['pixel_values'] }))).toMatch(/no input input_ids/);
    const encoderAsDecoder = await translation((copy) =>
      cp(join(copy, 'onnx/encoder_model_quantized.onnx'), join(copy, 'onnx/decoder_model_merged_quantized.onnx')),
    );
    expect(await whyNot(encoderAsDecoder)).toMatch(/no input use_cache_branch.*no output logits/);
  });

  it('refuses labels that are no languages, unless a file says for which they stand', async () => {
    const folder = await classifier({ labels: ['POSITIVE', 'NEGATIVE'] });
    const labels = join(work, 'labels.json');
    await writeFile(labels, '["en","es","fr"]');

    expect(await whyNot(folder)).toMatch(/no languages: POSITIVE, NEGATIVE; say --labels/);
    expect(await whyNot(folder, { labels })).toMatch(/3 labels, the model 2/);
  });

  it.each<[string, ImportOptions, RegExp]>([
    ['a language that the vocabulary lacks', { prompt: 'nllb', languages: ['en', 'es'] }, /has no language "en"/],
    ['a language that is none', { pairs: [{ source: 'en', target: 'qq' }] }, /no languages: qq/],
    ['an id that none can be', { id: 'Ä' }, /Ä cannot be an id/],
  ])('refuses %s', async (_, options, message) => {
    expect(await whyNot(exportedFolder, options)).toMatch(message);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another kind of model', { architectures: ['BertForMaskedLM'], id2label: null }, /BertForMaskedLM is neither/],
    ['no labels', { id2label: null }, /no id2label/],
  ])('refuses %s', async (_, config, message) => {
    expect(await whyNot(await classifier({ config }))).toMatch(message);
  });

  it('refuses, with the figure, what a WebAssembly heap cannot hold, and weights that are not there', async () => {
    const folder = await classifier();
    const path = join(folder, 'onnx/model.onnx');
    const [place] = [{ location: 'model.onnx_data', offset: 0, length: 2_100 * 2 ** 20 }];
    await writeFile(
      path,
      rewriteTensors(Message.decode(await readFile(path)), (tensor) =>
        pointToData(tensor, place as typeof place & object),
      ).encode(),
    );

    expect(await whyNot(folder)).toMatch(/weights in model\.onnx_data, which is missing/);
    await writeFile(join(folder, 'onnx/model.onnx_data'), '');
    await truncate(join(folder, 'onnx/model.onnx_data'), 2_100 * 2 ** 20);
    expect(await whyNot(folder)).toMatch(/weights are 4200 MB .*about 8464 MB, and a WebAssembly heap ends at 4096 MB/);
  });

  it('replaces an earlier import, and no other folder', async () => {
    const folder = await classifier();
    const other = fresh();
    await mkdir(other);
    await writeFile(join(other, 'precious.txt'), '');

    await expect(importModel(folder, other)).rejects.toThrow('no imported model');
    await expect(importModel(folder, folder)).rejects.toThrow('must lie apart');
    await expect(importModel(folder, work)).rejects.toThrow('must lie apart');
    expect(await readFile(join(other, 'precious.txt'), 'utf8')).toBe('');
  });
});
