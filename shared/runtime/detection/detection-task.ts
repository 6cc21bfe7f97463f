import * as z from 'zod/mini';
import type { OnnxSession } from '../engine/session.ts';
import { InferenceFailedError, ModelUnsupportedError } from '../errors.ts';
import type { DetectedLanguage, DetectionInput, DetectionOutput } from '../tasks.ts';
import { createFeatureExtractor } from './features.ts';
import { readFeaturesFile } from './features-file.ts';
import { preparedText } from './prepared-text.ts';

export interface DetectionTask {
  /** Calls `checkCancelled` before each text. @throws InferenceFailedError, or what `checkCancelled` throws. */
  run(input: DetectionInput, checkCancelled: () => void): DetectionOutput;
}

const labelsSchema = z.array(z.string().check(z.minLength(1))).check(z.minLength(1));

/**
 * Language detection: the graph takes `features` (int32, one text's rows) and answers `log_probabilities` (float32,
 * one for each of `labels`, a JSON array of language codes).
 *
 * @throws ModelUnsupportedError if the tokenizer, the labels or the graph are not of this kind.
 */
export function createDetectionTask(parts: {
  session: OnnxSession;
  tokenizer: Uint8Array;
  labels: Uint8Array;
}): DetectionTask {
  const { session } = parts;
  const extractFeatures = createFeatureExtractor(readFeaturesFile(parts.tokenizer));
  const labels = readLabels(parts.labels);
  if (!session.inputNames.includes('features') || !session.outputNames.includes('log_probabilities')) {
    throw new ModelUnsupportedError('the graph of the language detection has other inputs or outputs');
  }

  function detect(text: string, candidates: number): DetectedLanguage[] {
    const prepared = preparedText(text);
    if (prepared === null) {
      return [];
    }
    const features = extractFeatures(prepared);
    const feeds = { features: { type: 'int32', dims: [features.length], data: features } } as const;
    const [answer] = session.run(feeds, ['log_probabilities']);
    if (answer?.type !== 'float32' || answer.data.length !== labels.length) {
      throw new InferenceFailedError('the language detection answered with another shape than its labels');
    }
    return best(answer.data, labels, candidates);
  }

  return {
    run(input, checkCancelled) {
      const detections = input.texts.map((text) => {
        checkCancelled();
        return detect(text, input.candidates ?? 1);
      });
      return { task: 'language-detection', detections };
    },
  };
}

function readLabels(file: Uint8Array): string[] {
  try {
    return labelsSchema.parse(JSON.parse(new TextDecoder().decode(file)));
  } catch (cause) {
    throw new ModelUnsupportedError('the labels of the language detection are no list of codes', { cause });
  }
}

function best(logProbabilities: Float32Array, labels: readonly string[], candidates: number): DetectedLanguage[] {
  return labels
    .map((language, index) => ({ language, confidence: Math.exp(Math.min(0, logProbabilities[index] ?? -Infinity)) }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, candidates);
}
