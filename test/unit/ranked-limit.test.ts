import { expect, test } from 'vitest';
import { RankedLimit } from '../../shared/repository/ranked-limit.ts';

test('so many tasks run at once, those of the first rank before those of the second, each rank in order', async () => {
  const limit = new RankedLimit(2);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const tasks = [
    limit.second(task('second 1')),
    limit.first(task('first 1')),
    limit.second(task('second 2')),
    limit.second(task('second 3')),
    limit.first(task('first 2')),
    limit.first(task('first 3')),
  ];

  const seen = [[...begun]];
  while (begun.length < tasks.length) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(begun.slice(seen.flat().length));
  }
  for (const end of ends) end();
  await Promise.all(tasks);

  expect(seen).toEqual([['second 1', 'first 1'], ['first 2'], ['first 3'], ['second 2'], ['second 3']]);
});

test('a task that fails gives its place back', async () => {
  const limit = new RankedLimit(1);

  await expect(limit.first(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');

  expect(await limit.second(async () => 'done')).toBe('done');
});
