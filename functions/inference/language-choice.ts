import type { CasaLinguaError } from '../../shared/errors.ts';
import { ModelLoadFailedError } from '../../shared/host/errors.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { isLanguage, type LanguageDirectory, languageName } from '../../shared/repository/languages.ts';
import type { TranslationManifest } from '../../shared/repository/manifest.ts';
import { UnsupportedLanguageError } from '../../shared/runtime/errors.ts';

/** From what a caller wrote to what there is, or to the reason why there is not. */
export interface Chooser {
  /**
   * The code of this catalog for a language that a caller wrote; `shown` stands in the message in its place.
   * @throws UnsupportedLanguageError in LibreTranslate's words, ModelLoadFailedError
   */
  supported(languages: LanguageDirectory, written: string, shown?: string): string;
  /** The model for a direction. @throws UnsupportedLanguageError in LibreTranslate's words, ModelLoadFailedError */
  model(languages: LanguageDirectory, source: string, target: string): TranslationManifest;
}

/** A code is echoed no longer than the longest language tag, so that a text in the wrong field is not repeated. */
const longestTag = 35;

/**
 * While models are missing from the catalog because their manifests cannot be read, a real language that is not found
 * may be theirs: then the failure is the service's (503), not the caller's (400).
 */
export function createChooser(catalog: Pick<Catalog, 'problems'>): Chooser {
  const refuse = (message: string, languages: readonly string[]): CasaLinguaError => {
    const [problem] = catalog.problems();
    if (problem === undefined || !languages.every(isLanguage)) return new UnsupportedLanguageError(message);
    const [model, cause] = problem;
    const { retryable, retryAfterSeconds } = cause;
    return new ModelLoadFailedError(`${message} now, since model ${model} cannot be served: ${cause.message}`, {
      model,
      retryable,
      cause,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  };

  return {
    supported(languages, written, shown = written) {
      const code = languages.resolve(written);
      if (code === undefined) throw refuse(`${shown.slice(0, longestTag)} is not supported`, [written]);
      return code;
    },
    model(languages, source, target) {
      const model = languages.model(source, target);
      if (model !== undefined) return model;
      const from = `${languageName(source)} (${source})`;
      const to = `${languageName(target)} (${target})`;
      throw refuse(`${to} is not available as a target language from ${from}`, [source, target]);
    },
  };
}
