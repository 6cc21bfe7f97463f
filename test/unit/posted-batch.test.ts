import { describe, expect, test } from 'vitest';
import { PostedBatch } from '../../shared/runtime/posted-batch.ts';
import type { DetectionInput, DetectionOutput } from '../../shared/runtime/tasks.ts';

const input: DetectionInput = { task: 'language-detection', texts: ['Hello'] };
const output: DetectionOutput = { task: 'language-detection', detections: [[]] };

/** A batch of callers, each with a way to go. */
function posted(count: number, goneBefore: readonly number[] = []) {
  const callers = Array.from({ length: count }, () => new AbortController());
  for (const index of goneBefore) callers[index]?.abort(new Error(`${index} is gone`));
  let abandoned = 0;
  const members = callers.map(({ signal }) => ({ input, signal }));
  const batch = new PostedBatch<DetectionOutput>(members, () => {
    abandoned++;
  });
  return {
    batch,
    go: (index: number) => callers[index]?.abort(new Error(`${index} is gone`)),
    flags: () => Array.from(new Int32Array(batch.cancelled)),
    abandoned: () => abandoned,
  };
}

describe('a batch that is with the thread', () => {
  test('answers each caller, and says when it has ended', async () => {
    const { batch } = posted(2);
    const failure = new Error('this one failed');

    batch.answered(12, (member) => (member === 0 ? output : failure));

    const [first, second] = batch.results;
    expect(await first).toEqual({ output, computeMs: 12 });
    await expect(second).rejects.toBe(failure);
    expect(await batch.ended).toBe(12);
  });

  test('lets a caller go at once, and tells the thread which', async () => {
    const { batch, go, flags, abandoned } = posted(3);

    go(1);

    await expect(batch.results[1]).rejects.toThrow('1 is gone');
    expect(flags()).toEqual([0, 1, 0]);
    expect([batch.isAwaited, abandoned()]).toEqual([true, 0]);
    batch.answered(5, () => output);
    expect(await Promise.all([batch.results[0], batch.results[2]])).toHaveLength(2);
  });

  test('is abandoned, once, when the last caller has gone; it ends when the thread says so', async () => {
    const { batch, go, abandoned } = posted(2);
    let hasEnded = false;
    batch.ended.then(() => {
      hasEnded = true;
    });

    go(0);
    go(1);
    await expect(batch.results[1]).rejects.toThrow('1 is gone');

    expect([batch.isAwaited, abandoned(), hasEnded]).toEqual([false, 1, false]);
    batch.answered(3, () => output);
    expect(await batch.ended).toBe(3);
  });

  test('is over for all when the thread dies', async () => {
    const { batch } = posted(2);

    batch.died(new Error('crashed'));

    expect((await Promise.allSettled(batch.results)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await batch.ended).toBeUndefined();
  });

  test('marks who had gone before, and has ended if that was everybody', async () => {
    const some = posted(2, [0]);
    await expect(some.batch.results[0]).rejects.toThrow('0 is gone');
    expect([some.flags(), some.batch.isAwaited]).toEqual([[1, 0], true]);

    const all = posted(2, [0, 1]);
    expect([all.batch.isAwaited, all.abandoned(), await all.batch.ended]).toEqual([false, 0, 0]);
  });

  test('leaves nothing behind on the signals of callers whose answers they have', async () => {
    const { batch, go, flags, abandoned } = posted(1);
    batch.answered(1, () => output);
    await batch.results[0];

    go(0);

    expect([flags(), abandoned()]).toEqual([[0], 0]);
  });
});
