import type { LoadPriority } from '../../shared/host/model-host.ts';
import { BadRequestError } from '../../shared/http/errors.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { type LanguageDirectory, languageDirectory } from '../../shared/repository/languages.ts';
import type { Manifest, TranslationManifest } from '../../shared/repository/manifest.ts';
import type { DetectedLanguage, Translation } from '../../shared/runtime/tasks.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { type Detect, namedModel } from './detect-service.ts';
import type { RunServing, Serving } from './fallback-run.ts';
import type { Fallbacks } from './fallbacks.ts';
import { type Chooser, createChooser } from './language-choice.ts';
import { runOptions } from './model-run.ts';
import { rememberLast } from './remember-last.ts';
import { hasWords } from './text.ts';

/** Texts that share one language: a plain text is one part, a document has a part for each text between its markup. */
export type Passage = readonly string[];

export interface TranslateRequest {
  readonly passages: readonly Passage[];
  /** A language code as the caller wrote it, or `auto`. */
  readonly source: string;
  readonly target: string;
  readonly alternatives?: number;
  readonly withConfidence?: boolean;
  /** By id; default: the first in the catalog for each direction. */
  readonly model?: string | undefined;
  /** Ms, as `LeaseOptions` has it, for the models that translate; not for the one that finds the source. */
  readonly keepAliveMs?: number | undefined;
  readonly priority?: LoadPriority;
  readonly signal: AbortSignal;
  /** Ms since the epoch, as `RunOptions` has it. */
  readonly deadline?: number | undefined;
}

export interface TranslatedPassage {
  /** Codes of this catalog. */
  readonly source: string;
  readonly target: string;
  /** What was detected, where the source was `auto`. */
  readonly detected: DetectedLanguage | null;
  /** The model that detected it; null where none was asked. */
  readonly detectedBy: Serving | null;
  /** The model for the direction; null where source and target are one language. */
  readonly translatedBy: Serving | null;
  /** One for each part, in order. */
  readonly parts: readonly Translation[];
}

/** All models that were at work on these. */
export function servingsOf(passages: readonly TranslatedPassage[]): readonly (Serving | null)[] {
  return passages.flatMap(({ detectedBy, translatedBy }) => [detectedBy, translatedBy]);
}

export interface TranslateService {
  languages(signal: AbortSignal): Promise<LanguageDirectory>;
  /**
   * Translates each passage, every model in one run. What has no words in it, or is in the target's language already,
   * comes back as it is.
   * @throws UnsupportedLanguageError in LibreTranslate's words, and what running a model throws
   */
  translate(request: TranslateRequest): Promise<TranslatedPassage[]>;
}

/** LibreTranslate's answer where nothing can be told. */
const undetected: DetectedLanguage = { language: 'en', confidence: 0 };
/** Enough candidates to find one among them that there is a model for. */
const candidates = 10;

export function createTranslateService(deps: {
  catalog: Catalog;
  run: RunServing;
  detect: Detect;
  fallbacks: Fallbacks;
}): TranslateService {
  const { catalog, run, detect, fallbacks } = deps;
  const chooseAny = createChooser(catalog);
  // What is wrong with other models does not matter to who names one.
  const chooseNamed = createChooser({ problems: () => new Map() });
  const directoryOf = rememberLast((manifests: readonly Manifest[]) =>
    languageDirectory(fallbacks.primariesFirst(manifests)),
  );
  return {
    languages: async (signal) => directoryOf(await untilAborted(catalog.models(), signal)),
    async translate(request) {
      const manifests = await untilAborted(catalog.models(), request.signal);
      const languages =
        request.model === undefined
          ? directoryOf(manifests)
          : languageDirectory([
              translating(await untilAborted(namedModel(request.model, manifests, catalog), request.signal)),
            ]);
      const choose = request.model === undefined ? chooseAny : chooseNamed;
      const given = request.source === 'auto' ? undefined : choose.supported(languages, request.source);
      const target = choose.supported(languages, request.target);
      const detected = given === undefined ? await detectSources(request, languages, manifests, choose) : undefined;
      const plans = request.passages.map((passage, index): Plan => {
        const detection = detected?.languages[index] ?? null;
        const source = given ?? detection?.language ?? undetected.language;
        const model = source === target ? null : choose.model(languages, source, target);
        return { passage, source, detected: detection, model, parts: passage.map(untouched) };
      });
      const servings = await translateParts(plans, request, target);
      return plans.map((plan) => ({
        source: plan.source,
        target,
        detected: plan.detected,
        detectedBy: detected?.by ?? null,
        translatedBy: plan.model && (servings.get(plan.source) ?? { model: plan.model.id, primary: plan.model.id }),
        parts: plan.parts,
      }));
    },
  };

  /**
   * For each passage the best candidate that there is a model from or into: LibreTranslate's detector knows no other.
   * English with no confidence stands for nothing found, where there is English.
   */
  async function detectSources(
    { passages, priority, signal, deadline }: TranslateRequest,
    languages: LanguageDirectory,
    manifests: readonly Manifest[],
    choose: Chooser,
  ): Promise<{ readonly languages: readonly DetectedLanguage[]; readonly by: Serving | null }> {
    const found = new Map<number, DetectedLanguage>();
    let by: Serving | null = null;
    const judged = [...passages.keys()].filter((index) => passages[index]?.some(hasWords));
    if (judged.length > 0) {
      const texts = judged.map((index) => passages[index]?.join('\n') ?? '');
      const detections = await detect({ texts, candidates, priority, signal, deadline }, manifests);
      by = detections.servedBy;
      judged.forEach((passage, index) => {
        const best = firstServed(detections.texts[index] ?? [], languages);
        if (best !== undefined) found.set(passage, best);
      });
    }
    const best = passages.map(
      (_, index) =>
        found.get(index) ?? { ...undetected, language: choose.supported(languages, undetected.language, 'auto') },
    );
    return { languages: best, by };
  }

  /** @returns by source, which model served those that had words in them */
  async function translateParts(
    plans: readonly Plan[],
    request: TranslateRequest,
    target: string,
  ): Promise<ReadonlyMap<string, Serving>> {
    const servings = new Map<string, Serving>();
    const groups = new Map<string, { model: TranslationManifest; places: Place[] }>();
    let total = 0;
    for (const plan of plans) {
      if (plan.model === null) continue;
      const group = groups.get(plan.source) ?? { model: plan.model, places: [] };
      groups.set(plan.source, group);
      plan.passage.forEach((text, index) => {
        if (hasWords(text)) group.places.push({ plan, index, text });
      });
    }
    for (const { places } of groups.values()) total += places.length;
    let done = 0;
    for (const [source, { model, places }] of groups) {
      if (places.length === 0) continue;
      const { output, serving } = await run(
        model,
        {
          task: 'translation',
          texts: places.map(({ text }) => text),
          source,
          target,
          ...(request.alternatives ? { alternatives: request.alternatives } : {}),
          ...(request.withConfidence ? { withConfidence: true } : {}),
        },
        { ...runOptions(request), done: done / total, share: places.length / total },
      );
      places.forEach(({ plan, index }, at) => {
        const translation = output.translations[at];
        if (translation !== undefined) plan.parts[index] = translation;
      });
      servings.set(source, serving);
      done += places.length;
    }
    return servings;
  }
}

interface Plan {
  readonly passage: Passage;
  readonly source: string;
  readonly detected: DetectedLanguage | null;
  readonly model: TranslationManifest | null;
  readonly parts: Translation[];
}

interface Place {
  readonly plan: Plan;
  readonly index: number;
  readonly text: string;
}

function firstServed(
  candidates: readonly DetectedLanguage[],
  languages: LanguageDirectory,
): DetectedLanguage | undefined {
  for (const { language, confidence } of candidates) {
    const code = languages.resolve(language);
    if (code !== undefined) return { language: code, confidence };
  }
  return undefined;
}

function untouched(text: string): Translation {
  return { text, alternatives: [], confidence: null };
}

function translating(manifest: Manifest): TranslationManifest {
  if (manifest.task !== 'translation') throw new BadRequestError(`model ${manifest.id} does not translate`);
  return manifest;
}
