import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyStage, numberedKey } from '../support/key-stage.ts';

const TTL_MS = 60_000;
const GRACE_MS = 15 * 60_000;
const keys = [1, 2, 3].map(numberedKey);

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'store'; readonly isAway: boolean }
  | { readonly kind: 'disable'; readonly which: number; readonly isDisabled: boolean }
  | { readonly kind: 'show'; readonly which: number; readonly asksForStrangers: boolean };

const which = fc.nat(keys.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 900, 9_999, 30_000, 59_999, 400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('store' as const), isAway: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disable' as const), which, isDisabled: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('show' as const), which, asksForStrangers: fc.boolean() }) },
);

/** The longest time for which a store that was asked in vain is left alone. */
const PAUSE_MS = 2_000;
const never = Number.NEGATIVE_INFINITY;

it('a key serves only by what the store said in the last minute, or of late while the store is away', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const stage = new KeyStage({ ttlMs: TTL_MS });
      // Of each key: what the table says, what was heard of it here and when, and when nothing could be heard.
      const states = keys.map(() => ({ isDisabled: false, heardDisabled: false, heardAt: never, inVainAt: never }));
      for (const key of keys) stage.add(key);
      for (const one of steps) {
        if (one.kind === 'pass') stage.pass(one.ms);
        if (one.kind === 'store') stage.isAway = one.isAway;
        if (one.kind === 'pass' || one.kind === 'store') continue;
        const [key, state] = [keys[one.which], states[one.which]];
        if (key === undefined || state === undefined) continue;
        if (one.kind === 'disable') {
          stage.disable(key, one.isDisabled);
          state.isDisabled = one.isDisabled;
          continue;
        }
        const before = stage.reads;
        const kind = await stage.kindOf(key, one.asksForStrangers);
        const isAsked = stage.reads > before;

        if (isAsked) {
          expect(stage.now - state.heardAt).toBeGreaterThanOrEqual(TTL_MS);
          expect(one.asksForStrangers || state.heardAt !== never).toBe(true);
          if (stage.isAway) state.inVainAt = stage.now;
          else Object.assign(state, { heardAt: stage.now, heardDisabled: state.isDisabled });
        }
        const age = stage.now - state.heardAt;
        const isKnown = age < TTL_MS || (age < GRACE_MS && stage.now - state.inVainAt < PAUSE_MS);
        const known = state.heardDisabled ? 'invalid' : 'valid';
        const unknown = state.heardAt === never && !isAsked ? 'stranger' : 'unknowable';
        expect(kind).toBe(isKnown ? known : unknown);
      }
    }),
    { numRuns: 250 },
  );
});
