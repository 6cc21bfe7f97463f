import { type Attempt, attempt } from '../attempt.ts';
import type { OnnxSession } from '../engine/session.ts';
import { CancelledError, InferenceFailedError, ModelUnsupportedError } from '../errors.ts';
import type { DetectedLanguage, DetectionInput, DetectionOutput } from '../tasks.ts';
import { createFeatureExtractor } from './features.ts';
import { readFeaturesFile } from './features-file.ts';
import { bestLanguages, readLabels } from './labels.ts';
import { preparedText } from './prepared-text.ts';

export interface DetectionTask {
  /**
   * Asks before each text whether its caller still wants it.
   * @returns one for each input; those that failed did so with CancelledError or InferenceFailedError
   */
  run(inputs: readonly DetectionInput[], isCancelled: (caller: number) => boolean): readonly Attempt<DetectionOutput>[];
}

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
    return bestLanguages(answer.data, labels, candidates);
  }

  return {
    run(inputs, isCancelled) {
      return inputs.map(({ texts, candidates = 1 }, caller) =>
        attempt((): DetectionOutput => {
          const detections = texts.map((text) => {
            if (isCancelled(caller)) throw new CancelledError('cancelled');
            return detect(text, candidates);
          });
          return { task: 'language-detection', detections };
        }),
      );
    },
  };
}
