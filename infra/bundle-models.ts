import { join } from 'node:path';
import { buildLanguageDetection } from './models/language-detection/convert.ts';

/**
 * Makes the models that come with the project ready to publish: those kept as they are, and language detection, which is
 * converted into `<outFolder>/language-detection` in about a second. Resolves to their folders.
 */
export async function buildModels(outFolder: string): Promise<readonly string[]> {
  const languageDetection = join(outFolder, 'language-detection');
  await buildLanguageDetection(languageDetection);
  const kept = ['translate-en-es', 'translate-es-en'].map((id) => join(import.meta.dirname, 'models', id));
  return [languageDetection, ...kept];
}
