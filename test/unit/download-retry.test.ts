import { describe, expect, it } from 'vitest';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { retry } from '../../shared/repository/retry.ts';

/** Calls that each get so much further before they fail; the waits between them are recorded. */
function setUp(steps: readonly number[], attempts: number, failure: Error = new StoreUnavailableError('503')) {
  const left = [...steps];
  const waits: number[] = [];
  let at = 0;
  const clock = {
    now: () => 0,
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
  const call = async () => {
    const step = left.shift();
    if (step === undefined) return 'done';
    at += step;
    throw failure;
  };
  const run = () => retry(call, { attempts, clock, random: () => 1, progress: () => at });
  return { run, waits, left };
}

describe('retry', () => {
  it('gives up when so many calls in a row got no further', async () => {
    const { run, left } = setUp([0, 0, 0, 0], 3);

    await expect(run()).rejects.toThrow('503');

    expect(left).toHaveLength(1);
  });

  it('never gives up while each call gets further', async () => {
    const { run } = setUp(new Array<number>(50).fill(1), 1);

    await expect(run()).resolves.toBe('done');
  });

  it('begins the count anew with a call that got further, and the waits too', async () => {
    const { run, waits } = setUp([0, 0, 5, 0, 0, 0], 3);

    await expect(run()).rejects.toThrow('503');

    expect(waits).toEqual([50, 100, 50, 50, 100]);
  });

  it('waits twice as long each time, up to two seconds', async () => {
    const { run, waits } = setUp(new Array<number>(8).fill(0), 9);

    await run();

    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  });

  it('does not ask again where it was refused', async () => {
    const { run, waits } = setUp([1, 1], 3, new StoreRefusedError('403'));

    await expect(run()).rejects.toThrow('403');

    expect(waits).toEqual([]);
  });
});
