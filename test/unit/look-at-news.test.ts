import { describe, expect, it } from 'vitest';
import { actOnNews, createLookAtNews } from '../../functions/inference/look-at-news.ts';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a look at the news', () => {
  const usual = { answers: [true, true], isUpToDate: true };
  /** @param answers whether the store answers each look */
  const lookAt = (given: { readonly answers?: readonly boolean[]; readonly isUpToDate?: boolean }) => {
    const { answers, isUpToDate } = { ...usual, ...given };
    const steps: string[] = [];
    const wishes = { isUpToDate: false };
    const look = createLookAtNews({
      fleet: {
        look: (done) => {
          const isRead = answers[steps.push('look') - 1] ?? false;
          setImmediate(() => done(isRead));
        },
      },
      table: {
        pending: async () => {
          await soon();
          steps.push('answered');
          wishes.isUpToDate = isUpToDate;
        },
      },
      wishes,
    });
    return { steps, look };
  };

  it('looks once more than it may have joined, and waits for all that follows', async () => {
    const { steps, look } = lookAt({});

    expect(await look()).toBe(true);

    expect(steps).toEqual(['look', 'look', 'answered']);
  });

  it.each([
    ['the look that was surely new had no answer', { answers: [true, false] }],
    ['what was wished could not be read', { isUpToDate: false }],
  ])('does not know all when %s', async (_, given) => {
    expect(await lookAt(given).look()).toBe(false);
  });

  it('knows all when only a look that it joined had no answer', async () => {
    expect(await lookAt({ answers: [false, true] }).look()).toBe(true);
  });
});

describe('an instance that was woken', () => {
  const never = new AbortController().signal;

  it('does what is wanted, and what came meanwhile', async () => {
    const steps: string[] = [];
    const wanted = ['load', 'unload'];
    let work: Promise<void> | undefined;

    await actOnNews({
      look: async () => {
        const next = wanted.shift();
        steps.push('look');
        work = next === undefined ? undefined : soon().then(() => void steps.push(`${next} done`));
        return true;
      },
      underWay: () => work,
      pause: async (ms) => void steps.push(`pause of ${ms}`),
      signal: never,
    });

    expect(steps).toEqual(['look', 'load done', 'look', 'unload done', 'look']);
  });

  it('asks a store that does not answer again, ever more rarely, until it does', async () => {
    const pauses: number[] = [];

    await actOnNews({
      look: async () => pauses.length === 7,
      underWay: () => undefined,
      pause: async (ms) => void pauses.push(ms),
      signal: never,
    });

    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
  });

  it('leaves it when its time is over', async () => {
    const time = new AbortController();
    let looks = 0;

    await actOnNews({
      look: async () => {
        looks += 1;
        return false;
      },
      underWay: () => undefined,
      pause: async () => {
        if (looks === 3) time.abort();
      },
      signal: time.signal,
    });

    expect(looks).toBe(3);
  });
});
