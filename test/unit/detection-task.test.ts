import { describe, expect, test } from 'vitest';
import { writeFeaturesFile } from '../../infra/models/language-detection/features-writer.ts';
import { createDetectionTask } from '../../shared/runtime/detection/detection-task.ts';
import type { HostTensor, OnnxSession } from '../../shared/runtime/engine/session.ts';
import { CancelledError, InferenceFailedError, ModelUnsupportedError } from '../../shared/runtime/errors.ts';
import type { DetectionInput } from '../../shared/runtime/tasks.ts';
import { answerAlone } from '../support/answers-alone.ts';

const tokenizer = writeFeaturesFile({
  minLength: 2,
  maxLength: 4,
  buckets: 10,
  words: ['</s>', 'casa', 'house'].map((word) => Buffer.from(word)),
  keptBuckets: Uint32Array.of(),
});
const labels = Buffer.from('["en","es","pt"]');

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

    const answer = answerAlone(task, detection(['casa', 'house casa']));

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
      answerAlone(task, detection(['casa'], candidates)).detections[0]?.map(({ language }) => language);

    expect(languages(2)).toEqual(['es', 'en']);
    expect(languages(99)).toEqual(['es', 'en', 'pt']);
  });

  test('leaves the list empty, and the engine alone, where there is nothing to judge by', () => {
    const { session, asked } = sessionAnswering([1, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });

    expect(answerAlone(task, detection(['', '42', '😀'], 3)).detections).toEqual([[], [], []]);
    expect(asked).toEqual([]);
  });

  test('never is more than certain', () => {
    const { session } = sessionAnswering([1.0001, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });

    expect(answerAlone(task, detection(['house'])).detections).toEqual([[{ language: 'en', confidence: 1 }]]);
  });

  test('stops between two texts of a caller who has cancelled, and goes on with the others', () => {
    const { session, asked } = sessionAnswering([1, 0, 0]);
    const task = createDetectionTask({ session, tokenizer, labels });
    const inputs = [detection(['house', 'casa', 'casa']), detection(['casa'])];

    const answers = task.run(inputs, (caller) => caller === 0 && asked.length === 1);

    expect(answers).toMatchObject([
      { kind: 'failed', cause: expect.any(CancelledError) },
      { kind: 'done', value: { detections: [[{ language: 'en' }]] } },
    ]);
    expect(asked).toHaveLength(2);
  });

  test('of one caller that fails leaves the others alone', () => {
    const { session } = sessionAnswering([1, 0, 0]);
    let calls = 0;
    const failing = { ...session, run: () => (++calls === 1 ? [] : session.run({}, [])) };
    const task = createDetectionTask({ session: failing, tokenizer, labels });

    const answers = task.run([detection(['house']), detection(['casa'])], () => false);

    expect(answers).toMatchObject([{ kind: 'failed', cause: expect.any(InferenceFailedError) }, { kind: 'done' }]);
  });

  test('fails, without the text, if the graph answers for another number of labels', () => {
    const { session } = sessionAnswering([0.5, 0.5]);
    const task = createDetectionTask({ session, tokenizer, labels });
    const run = () => answerAlone(task, detection(['house']));

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
