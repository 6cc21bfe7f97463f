import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLanguageDetection } from './models/language-detection/convert.ts';
import { withFloatProjection } from './models/onnx/float-projection.ts';
import { optimiseGraph } from './models/onnx/optimise-graph.ts';

const TRANSLATIONS = ['translate-en-es', 'translate-es-en'];
const GRAPHS = ['encoder_model_quantized.onnx', 'decoder_model_merged_quantized.onnx'];

/**
 * Makes the models that come with the project ready to publish, each in `<outFolder>/<id>`, in a few seconds: language
 * detection is converted, the translations are copied with graphs that suit the engine. Resolves to the folders.
 */
export async function buildModels(outFolder: string): Promise<readonly string[]> {
  const languageDetection = join(outFolder, 'language-detection');
  await buildLanguageDetection(languageDetection);
  const folders = [languageDetection];
  for (const id of TRANSLATIONS) {
    folders.push(await buildTranslation(join(import.meta.dirname, 'models', id), join(outFolder, id)));
  }
  return folders;
}

async function buildTranslation(source: string, target: string): Promise<string> {
  await rm(target, { recursive: true, force: true });
  await cp(source, target, { recursive: true });
  for (const graph of GRAPHS) {
    const optimised = await optimiseGraph(await readFile(join(source, 'onnx', graph)));
    await writeFile(join(target, 'onnx', graph), withFloatProjection(optimised));
  }
  const description = join(target, 'casalingua.json');
  const described: object = JSON.parse(await readFile(description, 'utf8'));
  await writeFile(description, `${JSON.stringify({ ...described, graphs: 'optimised' }, null, 2)}\n`);
  return target;
}
