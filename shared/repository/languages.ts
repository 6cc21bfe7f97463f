import type { Manifest, TranslationManifest } from './manifest.ts';

/** What can be translated into what, and by which model. */
export interface LanguageDirectory {
  /** Every language there is a model from or into: English first, as LibreTranslate has it, then by code. */
  readonly codes: readonly string[];
  /**
   * The code here for what a caller wrote: itself, or the nearest that there is (`en-US` is `en`, `zh-TW` is `zh-Hant`
   * or else `zh`); nothing where there is none.
   */
  resolve(written: string): string | undefined;
  /** The model for a direction; of several the first that was given. */
  model(source: string, target: string): TranslationManifest | undefined;
  /** What a language can be translated into, sorted, itself included. */
  targets(source: string): readonly string[];
}

/** Codes of LibreTranslate's own, and two names of one language. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  pb: ['pt-BR'],
  zt: ['zh-Hant'],
  no: ['nb'],
  nb: ['no'],
  fil: ['tl'],
};

/** The directory of all translation models among these. */
export function languageDirectory(manifests: readonly Manifest[]): LanguageDirectory {
  const models = new Map<string, Map<string, TranslationManifest>>();
  const known = new Map<string, string>();
  for (const manifest of manifests) {
    if (manifest.task !== 'translation') continue;
    for (const { source, target } of manifest.pairs) {
      known.set(source.toLowerCase(), source).set(target.toLowerCase(), target);
      const targets = models.get(source) ?? new Map<string, TranslationManifest>();
      models.set(source, targets);
      if (!targets.has(target)) targets.set(target, manifest);
    }
  }
  const codes = [...known.values()].sort((a, b) => Number(b === 'en') - Number(a === 'en') || (a < b ? -1 : 1));
  return {
    codes,
    resolve(written) {
      const exact = known.get(written.toLowerCase());
      if (exact !== undefined) return exact;
      for (const name of namesOf(written)) {
        const code = known.get(name.toLowerCase());
        if (code !== undefined) return code;
      }
      return undefined;
    },
    model: (source, target) => models.get(source)?.get(target),
    targets: (source) => [...new Set([source, ...(models.get(source)?.keys() ?? [])])].sort(),
  };
}

/** English names by code; made at first use, since loading them takes longer than the rest of a function's start. */
const englishNames = onFirstUse(() => new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }));

function onFirstUse<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A language's name in English. */
export function languageName(code: string): string {
  const locale = localeOf(code);
  return (locale === undefined ? undefined : englishNames().of(locale.toString())) ?? code;
}

/** Under which names a language may be known here, the closest first. */
function namesOf(written: string): string[] {
  const locale = localeOf(otherNames[written.toLowerCase()]?.[0] ?? written);
  if (locale === undefined) return [];
  const { language, script, region } = locale.maximize();
  return [
    locale.baseName,
    `${language}-${script}-${region}`,
    `${language}-${script}`,
    ...(locale.script === undefined ? [`${language}-${region}`] : []),
    language,
    ...(otherNames[language] ?? []),
  ];
}

function localeOf(written: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(written.replaceAll('_', '-'));
  } catch {
    return undefined;
  }
}

/** Whether a code stands for a language at all. */
export function isLanguage(code: string): boolean {
  const locale = localeOf(code);
  return locale !== undefined && englishNames().of(locale.language) !== undefined;
}
