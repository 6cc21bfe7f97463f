import * as z from 'zod/mini';
import { ModelUnsupportedError } from '../errors.ts';
import type { DetectedLanguage } from '../tasks.ts';

const labelsSchema = z.array(z.string().check(z.minLength(1))).check(z.minLength(1));

/** The languages that a model answers with, in the order of its output: a JSON array of codes. @throws ModelUnsupportedError */
export function readLabels(file: Uint8Array): string[] {
  try {
    return labelsSchema.parse(JSON.parse(new TextDecoder().decode(file)));
  } catch (cause) {
    throw new ModelUnsupportedError('the labels of the language detection are no list of codes', { cause });
  }
}

/** @param logProbabilities one for each label */
export function bestLanguages(
  logProbabilities: Float32Array,
  labels: readonly string[],
  candidates: number,
): DetectedLanguage[] {
  return labels
    .map((language, index) => ({ language, confidence: Math.exp(Math.min(0, logProbabilities[index] ?? -Infinity)) }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, candidates);
}
