import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKET_MS } from '../../shared/fleet/rate-limits/bucket.ts';
import { ALLOWANCE_MS } from '../../shared/fleet/rate-limits/rate-limits.ts';
import { type Fate, flushed, RateStage } from '../support/rate-stage.ts';

const PER_MINUTE = { requests: 120, characters: 6_000 };
const MS_PER_REQUEST = BUCKET_MS / PER_MINUTE.requests;
const MS_PER_CHARACTER = BUCKET_MS / PER_MINUTE.characters;
/** The longest time that use goes untold while requests come. */
const TELL_MS = 5_000;
/** The longest time that a call to the store may take. */
const STORE_MS = 100;

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly instance: number; readonly characters: number }
  | { readonly kind: 'answer'; readonly which: number; readonly fate: Fate };

const stepWith = (fate: fc.Arbitrary<Fate>, mostCharacters: number): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(1, 40, 300, 1_100, 6_000, 31_000),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        instance: fc.nat(4),
        characters: fc.nat(mostCharacters),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(9), fate }) },
  );
const answered = fc.constant<Fate>('answered');
const anyFate = fc.constantFrom<Fate>('answered', 'call lost', 'answer lost');

/** Something that was let through: when, and what it took, in ms of each limit. */
interface Admitted {
  readonly at: number;
  readonly instance: number;
  readonly requests: number;
  readonly characters: number;
}

/** Plays the steps, then lets everything end. */
async function play(steps: readonly Step[], instances: number, lastFate: Fate) {
  const stage = new RateStage(instances);
  const admitted: Admitted[] = [];
  const refused: Admitted[] = [];
  const waiting: Promise<void>[] = [];
  for (const step of steps) {
    if (step.kind === 'pass') {
      // The store's calls are given up after a tenth of a second: none is answered later.
      while (lastFate === 'answered' && step.ms > STORE_MS && stage.outstanding > 0) await stage.settle(0, lastFate);
      stage.now += step.ms;
    }
    if (step.kind === 'answer') await stage.settle(step.which, step.fate);
    if (step.kind === 'take') {
      const { characters } = step;
      const instance = step.instance % instances;
      const taken = stage.take(instance, PER_MINUTE, { requests: 1, characters }).then(({ refused: why, gauges }) => {
        const use = {
          at: stage.now,
          instance,
          requests: MS_PER_REQUEST,
          characters: Math.min(characters, PER_MINUTE.characters) * MS_PER_CHARACTER,
        };
        (why === undefined ? admitted : refused).push(use);
        if (why !== undefined) expect(why.seconds).toBeGreaterThanOrEqual(1);
        for (const { left, perMinute } of gauges) expect(left).toBeLessThanOrEqual(perMinute);
      });
      waiting.push(taken);
    }
    await flushed();
  }
  while (stage.outstanding > 0) await stage.settle(0, lastFate);
  await Promise.all(waiting);
  return { stage, admitted, refused };
}

/** Whether a bucket of this size, that lets a minute's worth back in a minute, had always enough. */
function fits(uses: readonly Admitted[], kind: 'requests' | 'characters', bucketMs: number): boolean {
  let level = 0;
  let last = 0;
  return uses.every((use) => {
    level = Math.max(0, level - (use.at - last)) + use[kind];
    last = use.at;
    return level <= bucketMs + 1;
  });
}

const largest = (uses: readonly Admitted[], kind: 'requests' | 'characters') =>
  Math.max(ALLOWANCE_MS, ...uses.map((use) => use[kind]));

describe('what one caller is let through on all instances', () => {
  it('is never more than the limit and each instance’s allowance (or one request), whenever the store answers in time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepWith(answered, 2_000), { minLength: 20, maxLength: 150 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, instances) => {
          const { admitted } = await play(steps, instances, 'answered');
          for (const kind of ['requests', 'characters'] as const) {
            expect(fits(admitted, kind, BUCKET_MS + instances * largest(admitted, kind))).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is never more than the limit on any instance, whatever becomes of the calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepWith(anyFate, 4_000), { minLength: 20, maxLength: 150 }),
        anyFate,
        async (steps, fate) => {
          const { admitted } = await play(steps, 3, fate);
          for (const instance of [0, 1, 2]) {
            const own = admitted.filter((use) => use.instance === instance);
            for (const kind of ['requests', 'characters'] as const) expect(fits(own, kind, BUCKET_MS)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is all that it asks for, when that is within the limit by what may be untold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepWith(answered, 300), { minLength: 20, maxLength: 150 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, instances) => {
          const room = instances === 1 ? BUCKET_MS : BUCKET_MS - TELL_MS - instances * ALLOWANCE_MS;
          let now = 0;
          const level = { requests: 0, characters: 0, at: 0 };
          // Leaves out what this caller would not ask for, and answers at once.
          const modest = steps.flatMap((step): readonly Step[] => {
            if (step.kind === 'pass') now += step.ms;
            if (step.kind !== 'take') return [step];
            const requests = Math.max(0, level.requests - (now - level.at)) + MS_PER_REQUEST;
            const characters = Math.max(0, level.characters - (now - level.at)) + step.characters * MS_PER_CHARACTER;
            if (requests > room || characters > room) return [];
            Object.assign(level, { requests, characters, at: now });
            return [step, { kind: 'answer', which: 0, fate: 'answered' }];
          });
          const { refused } = await play(modest, instances, 'answered');
          expect(refused).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('costs one write in 5 s, and one more for each 3 s’ worth that is used faster', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepWith(answered, 100), { minLength: 20, maxLength: 150 }), async (steps) => {
        const prompt = steps.flatMap((step): readonly Step[] =>
          step.kind === 'take' ? [step, { kind: 'answer', which: 0, fate: 'answered' }] : [step],
        );
        const { stage, admitted } = await play(prompt, 1, 'answered');
        const usedMs = (kind: 'requests' | 'characters') => admitted.reduce((sum, use) => sum + use[kind], 0);
        const passedMs = stage.now - 1_000_000_000_000;
        const faster = (usedMs('requests') + usedMs('characters')) / (ALLOWANCE_MS - largestStep);
        expect(stage.calls).toBeLessThanOrEqual(1 + passedMs / TELL_MS + faster);
      }),
      { numRuns: 60 },
    );
  });
});

/** What one request of the last property takes at most, of either limit. */
const largestStep = Math.max(MS_PER_REQUEST, 100 * MS_PER_CHARACTER);
