import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLanguageDetection } from './models/language-detection/convert.ts';
import { withFloatProjection } from './models/onnx/float-projection.ts';

const TRANSLATIONS = ['translate-en-es', 'translate-es-en'];
const DECODER = join('onnx', 'decoder_model_merged_quantized.onnx');

/**
 * Makes the models that come with the project ready to publish, each in `<outFolder>/<id>`, in about a second: language
 * detection is converted, the translations are copied with a projection that suits the engine. Resolves to the folders.
 */
export async function buildModels(outFolder: string): Promise<readonly string[]> {
  const languageDetection = join(outFolder, 'language-detection');
  const [, ...translations] = await Promise.all([
    buildLanguageDetection(languageDetection),
    ...TRANSLATIONS.map((id) => buildTranslation(join(import.meta.dirname, 'models', id), join(outFolder, id))),
  ]);
  return [languageDetection, ...translations];
}

async function buildTranslation(source: string, target: string): Promise<string> {
  await rm(target, { recursive: true, force: true });
  await cp(source, target, { recursive: true });
  await writeFile(join(target, DECODER), withFloatProjection(await readFile(join(source, DECODER))));
  return target;
}
