import { describe, expect, test } from 'vitest';
import { writeFeaturesFile } from '../../infra/models/language-detection/features-writer.ts';
import { createDetectionTask } from '../../shared/runtime/detection/detection-task.ts';
import type { HostTensor, OnnxSession } from '../../shared/runtime/engine/session.ts';
import { InferenceFailedError, ModelUnsupportedError } from '../../shared/runtime/errors.ts';
import type { DetectionInput } from '../../shared/runtime/tasks.ts';

const tokenizer = writeFeaturesFile({
  minLength: 2,
  maxLength: 4,
  buckets: 10,
  words: ['</s>', 'casa', 'house'].map((word) => Buffer.from(word)),
  keptBuckets: Uint32Array.of(),
});
const labels = Buffer.from('["en","es","pt"]');
const neverCancelled = () => {};

/** A session that answers every text with these probabilities and remembers what it was asked. */
function sessionAnswering(probabilities: readonly number[]) {
  const asked: number[][] = [];
  const session: OnnxSession = {
    inputNames: ['features'],
    outputNames: ['log_probabilities'],
    run(feeds): HostTensor[] {
      asked.push(Array.from(feeds['features']?.data ?? [], Number));
      const data = Float32Array.from(probabilities, Math.log);
      return [{ type: 'float32', dims: [1, data.length], data }];
    },
  };
  return { session, asked };
}

const detection = (texts: string[], candidates?: number): DetectionInput => ({
  task: 'language-detection',
  texts,
  ...(candidates === undefined ? {} : { candidates }),
});

describe('language detection', () => {
  test('answers with one language for each text, in order, unless more are wanted', () => {
    const { session, asked } = sessionAnswering([0.25, 0.625, 0.125]);
    const task = createDetectionTask({ session, tokenizer, labels });

    const answer = task.run(detection(['casa', 'house casa']), neverCancelled);

    expect(answer.task).toBe('language-detection');
    expect(answer.detections).toEqual([
      [{ language: 'es', confidence: expect.closeTo(0.625, 6) }],
      [{ language: 'es', confidence: expect.closeTo(0.625, 6) }],
    ]);
    expect(asked).toEqual([
      [1, 0],
      [2, 1, 0],
    ]);
  });

  test('lists as many candidates as are wanted and known, best first', () => {
    const { session } = sessionAnswering([0.25, 0.625, 0.125]);
    const task = createDetectionTask({ session, tokenizer, labels });
    const languages = (candidates: number) =>
      task.run(detection(['casa'], candidates), neverCancelled).detections[0]?.map(({ language }) => language);

    expect(languages(2)).toEqual(['es', 'en']);
    expect(languages(99)).toEqual(['es', 'en', 'pt']);
  });

  test('leaves the list empty, and the engine alone, where there is nothing to judge by', () => {
    const { session, asked } = sessionAnswering([1, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });

    expect(task.run(detection(['', '42', '😀'], 3), neverCancelled).detections).toEqual([[], [], []]);
    expect(asked).toEqual([]);
  });

  test('never is more than certain', () => {
    const { session } = sessionAnswering([1.0001, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });

    expect(task.run(detection(['house']), neverCancelled).detections).toEqual([[{ language: 'en', confidence: 1 }]]);
  });

  test('stops between two texts when it is cancelled', () => {
    const { session, asked } = sessionAnswering([1, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });
    const cancelledAfterTheFirst = () => {
      if (asked.length === 1) {
        throw new Error('cancelled');
      }
    };

    expect(() => task.run(detection(['house', 'casa', 'casa']), cancelledAfterTheFirst)).toThrow('cancelled');
    expect(asked).toHaveLength(1);
  });

  test('fails, without the text, if the graph answers for another number of labels', () => {
    const { session } = sessionAnswering([0.5, 0.5]);
    const task = createDetectionTask({ session, tokenizer, labels });
    const run = () => task.run(detection(['house']), neverCancelled);

    expect(run).toThrow(InferenceFailedError);
    expect(run).not.toThrow(/house/);
  });

  test.each(['', '{}', '[]', '[1,2]', '[""]'])('refuses labels that are no list of codes: %j', (text) => {
    const { session } = sessionAnswering([1]);
    expect(() => createDetectionTask({ session, tokenizer, labels: Buffer.from(text) })).toThrow(ModelUnsupportedError);
  });

  test('refuses a graph of another kind', () => {
    const session = { ...sessionAnswering([1, 0, 0]).session, inputNames: ['input_ids'] };
    expect(() => createDetectionTask({ session, tokenizer, labels })).toThrow(ModelUnsupportedError);
  });
});
