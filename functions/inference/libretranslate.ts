import { Hono } from 'hono';
import type * as z from 'zod/mini';
import type { Limits } from '../../shared/config/settings.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import type { AcceptWork } from '../../shared/http/rate-limit.ts';
import { takes } from '../../shared/http/validated.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { languageName } from '../../shared/repository/languages.ts';
import type { DetectedLanguage } from '../../shared/runtime/tasks.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import type { Detect } from './detect-service.ts';
import { tellFallbacks } from './fallback-header.ts';
import { type HtmlDocument, readDocuments } from './html-documents.ts';
import {
  type bodySchema,
  type LibreTranslateBody,
  readBody,
  readTexts,
  readTranslateRequest,
} from './libretranslate-input.ts';
import { workOf } from './text.ts';
import { servingsOf, type TranslatedPassage, type TranslateService } from './translate-service.ts';

/** Candidates that `/detect` answers with at most. */
const candidates = 5;

/** LibreTranslate's routes, so that its clients work unchanged. */
export function libreTranslateRoutes(deps: {
  translations: TranslateService;
  detect: Detect;
  catalog: Catalog;
  limits: Limits;
  accept: AcceptWork;
  /** Whether `keep_alive` is obeyed. */
  keepAliveAllowed: boolean;
}) {
  const { translations, detect, catalog, limits, accept, keepAliveAllowed } = deps;
  const keepAliveOf = (body: LibreTranslateBody) => (keepAliveAllowed ? body.keep_alive : undefined);
  const takesBody = takes<z.input<typeof bodySchema>, LibreTranslateBody>(readBody);

  return new Hono<HttpEnv>()
    .post('/translate', takesBody, async (c) => {
      const body = c.req.valid('json');
      const { texts, batch, source, target, format, alternatives } = readTranslateRequest(body, limits);
      await accept(c, workOf(texts));
      const documents = format === 'html' ? await readDocuments(texts) : undefined;
      const passages = await translations.translate({
        passages: documents?.map((document) => document.texts) ?? texts.map((text) => [text]),
        source,
        target,
        // Of markup LibreTranslate gives no alternatives either.
        alternatives: documents === undefined ? alternatives : 0,
        keepAliveMs: keepAliveOf(body),
        signal: c.get('signal'),
        deadline: c.get('deadline'),
      });
      tellFallbacks(c, servingsOf(passages));
      const answers = passages.map((passage, index) => answer(passage, texts[index] ?? '', documents?.[index]));
      const first = answers[0];
      return c.json({
        translatedText: batch ? answers.map(({ text }) => text) : first?.text,
        ...(source === 'auto'
          ? { detectedLanguage: batch ? answers.map(({ detected }) => detected) : first?.detected }
          : {}),
        ...(alternatives > 0
          ? { alternatives: batch ? answers.map((each) => each.alternatives) : first?.alternatives }
          : {}),
      });
    })
    .post('/detect', takesBody, async (c) => {
      const body = c.req.valid('json');
      const { texts } = readTexts(body, limits);
      await accept(c, workOf(texts));
      const request = {
        texts,
        candidates,
        keepAliveMs: keepAliveOf(body),
        signal: c.get('signal'),
        deadline: c.get('deadline'),
      };
      const detections = await detect(request, await untilAborted(catalog.models(), request.signal));
      tellFallbacks(c, [detections.servedBy]);
      return c.json(verdict(texts, detections.texts));
    })
    .get('/languages', async (c) => {
      const languages = await translations.languages(c.get('signal'));
      return c.json(
        languages.codes.map((code) => ({ code, name: languageName(code), targets: languages.targets(code) })),
      );
    });
}

interface Answer {
  readonly text: string;
  readonly alternatives: readonly string[];
  readonly detected: DetectedLanguage | null;
}

function answer(passage: TranslatedPassage, original: string, document: HtmlDocument | undefined): Answer {
  const detected = passage.detected === null ? null : inPercent(passage.detected);
  const [only] = passage.parts;
  return document === undefined
    ? { text: only?.text ?? original, alternatives: only?.alternatives ?? [], detected }
    : { text: document.withTexts(passage.parts.map(({ text }) => text)), alternatives: [], detected };
}

/** One list for all texts, as LibreTranslate judges an array: each language's confidence weighted by the texts' lengths. */
function verdict(
  texts: readonly string[],
  detections: readonly (readonly DetectedLanguage[])[],
): readonly DetectedLanguage[] {
  const weights = new Map<string, number>();
  let total = 0;
  texts.forEach((text, index) => {
    const found = detections[index] ?? [];
    if (found.length > 0) total += text.length;
    for (const { language, confidence } of found) {
      weights.set(language, (weights.get(language) ?? 0) + confidence * text.length);
    }
  });
  if (weights.size === 0) return [{ language: 'en', confidence: 0 }];
  return [...weights]
    .map(([language, weight]) => inPercent({ language, confidence: weight / total }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, candidates)
    .filter(({ confidence }, index) => index === 0 || confidence > 0);
}

/** LibreTranslate counts confidence in whole percent. */
function inPercent({ language, confidence }: DetectedLanguage): DetectedLanguage {
  return { confidence: Math.round(confidence * 100), language };
}
