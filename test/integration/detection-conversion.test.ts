import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withConvertedModel } from '../fixtures/detection/converted-model.ts';

const fileNames = ['LICENSE', 'README.md', 'casalingua.json', 'features.bin', 'labels.json', 'model.onnx'];

const readAll = (folder: string) => Promise.all(fileNames.map((name) => readFile(join(folder, name))));

describe('the conversion of lid.176', () => {
  test('gives the same bytes each time', async () => {
    const [first, second] = await Promise.all([withConvertedModel(readAll), withConvertedModel(readAll)]);

    expect(first.map((file) => file.length > 0)).toEqual(fileNames.map(() => true));
    expect(second.every((file, index) => file.equals(first[index] ?? Buffer.alloc(0)))).toBe(true);
  });

  test('is smaller than the file that it is made from', async () => {
    const files = await withConvertedModel(readAll);

    expect(files.reduce((sum, file) => sum + file.length, 0)).toBeLessThan(938_013);
  });

  test('describes the model for the publisher, with the languages that the labels have', async () => {
    const [, , description, , labels] = await withConvertedModel(readAll);
    const { languages, memory, ...rest } = JSON.parse(String(description));

    expect(rest).toEqual({
      id: 'language-detection',
      version: '1.0.0',
      task: 'language-detection',
      engine: 'onnxruntime-web',
      licence: 'CC-BY-SA-3.0',
      source: expect.stringContaining('https://fasttext.cc/'),
      roles: { 'model.onnx': 'classifier', 'features.bin': 'tokenizer', 'labels.json': 'labels' },
    });
    expect(languages).toEqual(JSON.parse(String(labels)).toSorted());
    expect(languages).toHaveLength(176);
    expect(memory.peakMb).toBeGreaterThanOrEqual(memory.residentMb);
  });
});
