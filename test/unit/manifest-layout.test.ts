import { describe, expect, it } from 'vitest';
import { buildManifest, chooseFiles } from '../../shared/repository/build-manifest.ts';
import { type Description, descriptionSchema } from '../../shared/repository/description.ts';
import { PublishInvalidError } from '../../shared/repository/errors.ts';
import { generationOf, promptStyleOf, rolesByLayout } from '../../shared/repository/hugging-face-layout.ts';
import { parseManifest } from '../../shared/repository/parse-manifest.ts';
import { manifestOf } from '../property/download-fault-store.ts';

function describeModel(changes: Record<string, unknown> = {}): Description {
  const description = {
    id: 'm',
    version: '1',
    task: 'translation',
    pairs: [{ source: 'en', target: 'es' }],
    licence: 'MIT',
    source: 'here',
    memory: { peakMb: 2, residentMb: 1 },
    ...changes,
  };
  // As it comes out of a file: a member that is undefined isn't there.
  return descriptionSchema.parse(JSON.parse(JSON.stringify(description)));
}

const files = [{ path: 'x', size: 1, sha256: 'a'.repeat(64), role: 'encoder' as const }];
const marian = { config: { model_type: 'marian', max_position_embeddings: 512 } };

describe('the Hugging Face layout', () => {
  it('prefers quantised graphs and leaves the other precisions behind', () => {
    const roles = rolesByLayout([
      'README.md',
      'config.json',
      'onnx/decoder_model.onnx',
      'onnx/decoder_model_merged.onnx',
      'onnx/decoder_model_merged_quantized.onnx',
      'onnx/encoder_model.onnx',
      'onnx/encoder_model.onnx_data',
      'onnx/encoder_model_fp16.onnx',
      'onnx/encoder_model_quantized.onnx',
      'tokenizer.json',
    ]);

    expect(Object.fromEntries(roles)).toEqual({
      'README.md': 'other',
      'config.json': 'config',
      'onnx/decoder_model_merged_quantized.onnx': 'decoder',
      'onnx/encoder_model_quantized.onnx': 'encoder',
      'tokenizer.json': 'tokenizer',
    });
  });

  it('finds graphs that lie beside the configuration', () => {
    const roles = rolesByLayout(['decoder_model_merged.onnx', 'encoder_model.onnx']);

    expect(roles.get('encoder_model.onnx')).toBe('encoder');
    expect(roles.get('decoder_model_merged.onnx')).toBe('decoder');
  });

  it.each([
    ['marian', 'MarianTokenizer', 'marian'],
    ['m2m_100', 'M2M100Tokenizer', 'm2m100'],
    ['m2m_100', 'NllbTokenizer', 'nllb'],
    ['m2m_100', 'NllbTokenizerFast', 'nllb'],
    ['mbart', 'MBart50Tokenizer', 'mbart50'],
    ['t5', 'T5Tokenizer', undefined],
  ])('takes %s with %s for %s', (model_type, tokenizer_class, style) => {
    expect(promptStyleOf({ config: { model_type }, tokenizer: { tokenizer_class } })).toBe(style);
  });

  it('reads generation defaults from generation_config.json, then config.json, then what transformers takes', () => {
    expect(generationOf({})).toEqual({ numBeams: 1, maxNewTokens: undefined, lengthPenalty: 1 });
    expect(generationOf({ config: { num_beams: 6, max_length: 512, length_penalty: 0.8 } })).toEqual({
      numBeams: 6,
      maxNewTokens: 511,
      lengthPenalty: 0.8,
    });
    expect(generationOf({ config: { num_beams: 6 }, generation: { num_beams: 4, max_new_tokens: 7 } })).toEqual({
      numBeams: 4,
      maxNewTokens: 7,
      lengthPenalty: 1,
    });
  });
});

describe('buildManifest', () => {
  it('lets the description overrule the configuration', () => {
    const description = describeModel({ generation: { numBeams: 2 }, prompt: 'nllb', maxSourceTokens: 64 });

    const manifest = buildManifest(description, files, { ...marian, generation: { num_beams: 4, max_length: 200 } });

    expect(manifest).toMatchObject({
      prompt: 'nllb',
      maxSourceTokens: 64,
      generation: { numBeams: 2, maxNewTokens: 199 },
    });
  });

  it('makes every direction between the languages of a many-to-many model', () => {
    const description = describeModel({ pairs: undefined, languages: ['de', 'en', 'es'] });

    const manifest = buildManifest(description, files, marian);

    expect(manifest.task === 'translation' && manifest.pairs).toHaveLength(6);
  });

  it('says everything that neither the description nor the configuration tells', () => {
    const build = () => buildManifest(describeModel({ pairs: undefined }), files, {});

    expect(build).toThrow(PublishInvalidError);
    expect(build).toThrow(/"prompt".*"maxSourceTokens".*"pairs"/);
  });

  it('names the fallback that was described', () => {
    const { fallback } = buildManifest(describeModel({ fallback: 'm-small' }), files, marian);

    expect(fallback).toBe('m-small');
    expect(buildManifest(describeModel(), files, marian)).not.toHaveProperty('fallback');
  });

  it('refuses a model that is its own fallback', () => {
    const build = () => buildManifest(describeModel({ fallback: 'm' }), files, marian);

    expect(build).toThrow('fallback: must be another model');
  });

  it('refuses values that the manifest does not allow, with their place', () => {
    const build = () => buildManifest(describeModel({ generation: { numBeams: 99 } }), files, marian);

    expect(build).toThrow('generation.numBeams: must be at most 16');
  });
});

describe('chooseFiles', () => {
  it('takes roles from the description where names do not tell', () => {
    const description = describeModel({
      task: 'language-detection',
      pairs: undefined,
      languages: ['en'],
      roles: { 'model.onnx': 'classifier', 'features.bin': 'tokenizer', 'labels.json': 'labels' },
    });

    const roles = chooseFiles(description, ['README.md', 'features.bin', 'labels.json', 'model.onnx']);

    expect(Object.fromEntries(roles)).toEqual({
      'README.md': 'other',
      'features.bin': 'tokenizer',
      'labels.json': 'labels',
      'model.onnx': 'classifier',
    });
    expect(() => chooseFiles(description, ['features.bin'])).toThrow(/classifier model.onnx is missing.*labels/);
  });

  it('refuses a graph whose weights lie outside it', () => {
    const paths = ['config.json', 'tokenizer.json', 'decoder_model_merged.onnx', 'encoder_model.onnx'];

    expect(() => chooseFiles(describeModel(), [...paths, 'encoder_model.onnx_data'])).toThrow(
      'encoder_model.onnx_data',
    );
    expect(chooseFiles(describeModel(), paths).size).toBe(4);
  });
});

describe('parseManifest', () => {
  const good = manifestOf({ 'a/b.onnx': Buffer.from('x') }, '1.0.0', 'm');
  const at = { id: 'm', version: '1.0.0' };
  const [file] = good.files;

  it('accepts what publishing writes', () => {
    expect(parseManifest(JSON.stringify(good), at)).toEqual(good);
  });

  it.each([
    ['text that is not JSON', '{', 'not JSON'],
    ['another model', { ...good, id: 'other' }, 'says it is other@1.0.0'],
    ['a task that is unknown', { ...good, task: 'poetry' }, 'not valid'],
    ['a file out of its folder', { ...good, files: [{ ...file, path: '../x' }] }, 'files.0.path'],
    ['an absolute file', { ...good, files: [{ ...file, path: '/etc/passwd' }] }, 'files.0.path'],
    ['a checksum that is none', { ...good, files: [{ ...file, sha256: 'x' }] }, 'files.0.sha256'],
    ['a negative size', { ...good, files: [{ ...file, size: -1 }] }, 'files.0.size'],
    ['no files', { ...good, files: [] }, 'files'],
    ['a fallback that no model can be', { ...good, fallback: '../x' }, 'fallback'],
    ['a fallback that is the model itself', { ...good, fallback: 'm' }, 'fallback: must be another model'],
    ['a file named twice', { ...good, files: [file, file] }, 'twice'],
  ])('refuses %s', (_, manifest, message) => {
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);

    expect(() => parseManifest(text, at)).toThrow(message);
  });
});
