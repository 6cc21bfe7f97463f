import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { type RetryOptions, retry } from '../../shared/repository/retry.ts';
import { RetryBudget } from '../../shared/repository/retry-budget.ts';

/** Calls that are made at the same time or one after the other; each attempt fails, fails after it brought something, or succeeds. */
type Outcome = 'fails' | 'brings something' | 'succeeds';
interface Call {
  readonly attempts: number;
  readonly outcomes: readonly Outcome[];
  readonly isAwaited: boolean;
}

const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Outcome>('fails') },
  { weight: 1, arbitrary: fc.constant<Outcome>('brings something') },
  { weight: 2, arbitrary: fc.constant<Outcome>('succeeds') },
);
const call: fc.Arbitrary<Call> = fc.record({
  attempts: fc.integer({ min: 1, max: 8 }),
  outcomes: fc.array(outcome, { minLength: 1, maxLength: 12 }),
  isAwaited: fc.boolean(),
});
const clock: RetryOptions['clock'] = { now: () => 0, sleep: async () => undefined };

describe('trying again', () => {
  it('adds no more than its share to the calls, whatever fails, and all of it is counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 60 }),
        fc.constantFrom(0, 0.1, 0.5),
        fc.integer({ min: 0, max: 5 }),
        async (calls, ratio, burst) => {
          const budget = new RetryBudget({ ratio, burst });
          let attempts = 0;
          let brought = 0;
          const made: Promise<unknown>[] = [];
          for (const { attempts: most, outcomes, isAwaited } of calls) {
            let turn = 0;
            let progress = 0;
            const attempt = async () => {
              attempts += 1;
              const next = outcomes[Math.min(turn, outcomes.length - 1)];
              // What always brings something would never end.
              turn += 1;
              if (next === 'succeeds' || turn > 20) return;
              if (next === 'brings something') {
                progress += 1;
                brought += 1;
              }
              throw new StoreUnavailableError('no');
            };
            const one = retry(attempt, { attempts: most, clock, random: () => 0, budget, progress: () => progress });
            made.push(one.catch(() => undefined));
            if (isAwaited) await made.at(-1);
          }
          await Promise.all(made);

          const { calls: counted, retries, refused } = budget.report();
          expect(counted).toBeLessThanOrEqual(calls.length + brought);
          expect(attempts).toBe(counted + retries);
          expect(retries).toBeLessThanOrEqual(counted * ratio + burst);
          if (retries < burst) expect(refused).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is allowed again when calls have gone well, and no more than at the start', () => {
    const budget = new RetryBudget({ burst: 2 });
    const allowed = () => {
      let count = 0;
      while (budget.mayRetry()) count += 1;
      return count;
    };
    expect(allowed()).toBe(2);
    for (let n = 0; n < 10; n++) budget.called();
    expect(allowed()).toBe(1);
    for (let n = 0; n < 1_000; n++) budget.called();
    expect(allowed()).toBe(2);
    expect(budget.report()).toEqual({ calls: 1_010, retries: 5, refused: 3 });
  });

  it('after an attempt that brought something is no retry, and needs no budget', async () => {
    const budget = new RetryBudget({ burst: 0 });
    let progress = 0;
    const bringsThreeThings = async () => {
      if (progress === 3) return;
      progress += 1;
      throw new StoreUnavailableError('no');
    };
    await retry(bringsThreeThings, { attempts: 2, clock, random: () => 0, budget, progress: () => progress });
    expect(budget.report()).toEqual({ calls: 4, retries: 0, refused: 0 });
  });

  it('is what it was for who has no budget', async () => {
    let attempts = 0;
    const fail = async () => {
      attempts += 1;
      throw new StoreUnavailableError('no');
    };
    await expect(retry(fail, { attempts: 5, clock, random: () => 0 })).rejects.toThrow(StoreUnavailableError);
    expect(attempts).toBe(5);
  });
});
