import { expect, it } from 'vitest';
import { actOnNews, createLookAtNews } from '../../functions/inference/look-at-news.ts';

it('looks once more than it may have joined, and waits for all that follows', async () => {
  const steps: string[] = [];
  const lookAtNews = createLookAtNews({
    fleet: {
      look: (done) => {
        steps.push('look');
        setImmediate(done);
      },
    },
    table: {
      pending: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        steps.push('answered');
      },
    },
  });

  await lookAtNews();

  expect(steps).toEqual(['look', 'look', 'answered']);
});

it('an instance that was woken does what is wanted, and what came meanwhile', async () => {
  const steps: string[] = [];
  const wanted = ['load', 'unload'];
  let work: Promise<void> | undefined;

  await actOnNews({
    look: async () => {
      const next = wanted.shift();
      steps.push('look');
      work =
        next === undefined
          ? undefined
          : new Promise((resolve) => setImmediate(resolve)).then(() => void steps.push(`${next} done`));
    },
    underWay: () => work,
  });

  expect(steps).toEqual(['look', 'load done', 'look', 'unload done', 'look']);
});
