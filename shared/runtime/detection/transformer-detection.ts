import { attempt } from '../attempt.ts';
import type { HostTensor, OnnxSession } from '../engine/session.ts';
import { CancelledError, InferenceFailedError, ModelUnsupportedError } from '../errors.ts';
import type { DetectedLanguage, DetectionOutput } from '../tasks.ts';
import type { TextTokenizer } from '../text-tokenizer.ts';
import type { DetectionTask } from './detection-task.ts';
import { bestLanguages, readLabels } from './labels.ts';

/** UTF-16 units of a text that are looked at; what goes beyond would be cut off as tokens anyway. */
const inspectedLength = 4096;

/** What a sequence classifier may ask for beside `input_ids`; a text is one segment, and nothing of it is padding. */
const FILLED: Readonly<Record<string, bigint>> = { attention_mask: 1n, token_type_ids: 0n };

/**
 * Language detection by a sequence classifier (XLM-RoBERTa, BERT and the like): `input_ids` and what else of `FILLED` the
 * graph takes (int64 [1, n]) to `logits` (float32 [1, labels]).
 * @throws ModelUnsupportedError if the labels or the graph are not of this kind
 */
export function createTransformerDetection(parts: {
  session: OnnxSession;
  tokenizer: TextTokenizer;
  labels: Uint8Array;
  /** Tokens that the model takes at most, the special ones included; a longer text is cut. */
  maxTokens: number;
}): DetectionTask {
  const { session, tokenizer, maxTokens } = parts;
  const labels = readLabels(parts.labels);
  const { before, after } = tokenizer.frame;
  const others = session.inputNames.filter((name) => name !== 'input_ids');
  const unknown = others.filter((name) => !(name in FILLED));
  if (others.length === session.inputNames.length || unknown.length > 0 || !session.outputNames.includes('logits')) {
    throw new ModelUnsupportedError('the graph of the language detection has other inputs or outputs');
  }

  function detect(text: string, candidates: number): DetectedLanguage[] {
    const inspected = text.slice(0, inspectedLength);
    if (!/\p{L}/u.test(inspected)) return [];
    const room = maxTokens - before.length - after.length;
    const ids = [...before, ...tokenizer.encode(inspected).slice(0, room), ...after];
    const row = (value: (index: number) => bigint): HostTensor => ({
      type: 'int64',
      dims: [1, ids.length],
      data: BigInt64Array.from(ids, (_, index) => value(index)),
    });
    const feeds = Object.fromEntries([
      ['input_ids', row((index) => BigInt(ids[index] as number))],
      ...others.map((name) => [name, row(() => FILLED[name] as bigint)]),
    ]);
    const [answer] = session.run(feeds, ['logits']);
    if (answer?.type !== 'float32' || answer.data.length !== labels.length) {
      throw new InferenceFailedError('the language detection answered with another shape than its labels');
    }
    return bestLanguages(logSoftmax(answer.data), labels, candidates);
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

function logSoftmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return logits.map((logit) => logit - highest - Math.log(sum));
}
