import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BeamOptions, beamSearch } from '../../shared/runtime/translation/beam-search.ts';
import { greedySearch } from '../../shared/runtime/translation/greedy-search.ts';
import type { Hypothesis } from '../../shared/runtime/translation/step-model.ts';
import { logProbabilityOf, PureStepModel, randomScores, type Scores } from '../support/pure-step-model.ts';

const END = 0;

interface Case {
  readonly sentences: number;
  readonly vocabulary: number;
  readonly scores: Scores;
  readonly options: BeamOptions;
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    seed: fc.integer(),
    limits: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
    vocabulary: fc.integer({ min: 3, max: 7 }),
    numBeams: fc.integer({ min: 1, max: 5 }),
    lengthPenalty: fc.constantFrom(-1, 0, 0.6, 1, 2),
    bans: fc.boolean(),
  })
  .map(({ seed, limits, vocabulary, numBeams, lengthPenalty, bans }) => ({
    sentences: limits.length,
    vocabulary,
    scores: randomScores(seed, vocabulary),
    options: {
      prompt: [vocabulary - 1],
      endToken: END,
      bannedTokens: bans ? [vocabulary - 1] : [],
      maxNewTokens: limits,
      withConfidence: true,
      isCancelled: () => false,
      numBeams,
      lengthPenalty,
    },
  }));

const searches = { greedy: greedySearch, beam: beamSearch };
const both = Object.keys(searches) as (keyof typeof searches)[];

const run = (kind: keyof typeof searches, { sentences, vocabulary, scores, options }: Case) =>
  searches[kind](new PureStepModel(sentences, vocabulary, scores), options);

/** The tokens that a hypothesis's probability is made of: the end token counts where there was room for it. */
const scoredTokensOf = ({ tokens, scoredTokens }: Hypothesis) =>
  scoredTokens > tokens.length ? [...tokens, END] : tokens;

const scoreOf = (lengthPenalty: number) => (hypothesis: Hypothesis) =>
  hypothesis.logProbability / hypothesis.scoredTokens ** lengthPenalty;

describe.each(both)('whatever the model, %s search', (kind) => {
  test('answers each sentence as if it were alone, whichever rows end when', () => {
    fc.assert(
      fc.property(anyCase, (together) => {
        const { hypotheses } = run(kind, together);

        expect(hypotheses).toHaveLength(together.sentences);
        hypotheses.forEach((answer, sentence) => {
          const alone: Case = {
            ...together,
            sentences: 1,
            scores: (_, history) => together.scores(sentence, history),
            options: { ...together.options, maxNewTokens: [together.options.maxNewTokens[sentence] ?? 0] },
          };
          expect(answer).toEqual(run(kind, alone).hypotheses[0]);
        });
      }),
    );
  });

  test('tells the probability that its tokens have in the model', () => {
    fc.assert(
      fc.property(anyCase, (any) => {
        run(kind, any).hypotheses.forEach((answer, sentence) => {
          for (const hypothesis of answer) {
            const truth = logProbabilityOf(any.scores, sentence, scoredTokensOf(hypothesis), any.options.bannedTokens);
            expect(hypothesis.logProbability).toBeCloseTo(truth, 4);
          }
        });
      }),
    );
  });

  test('keeps to the limits, and never answers with a banned token or the end token', () => {
    fc.assert(
      fc.property(anyCase, (any) => {
        const { hypotheses, steps } = run(kind, any);

        expect(steps).toBeLessThanOrEqual(Math.max(...any.options.maxNewTokens));
        hypotheses.forEach((answer, sentence) => {
          expect(answer.length).toBeGreaterThan(0);
          for (const { tokens, scoredTokens } of answer) {
            expect(scoredTokens).toBeLessThanOrEqual(any.options.maxNewTokens[sentence] ?? 0);
            expect(tokens).not.toContain(END);
            for (const banned of any.options.bannedTokens) expect(tokens).not.toContain(banned);
          }
        });
      }),
    );
  });

  test('lets go of each cancelled sentence before the next step, and answers the others as if it had never been', () => {
    const anyTimes = fc.array(fc.option(fc.integer({ min: 0, max: 6 })), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(anyCase, anyTimes, (any, times) => {
        const undisturbed = run(kind, any);
        // The sentences that the model was asked for, step by step.
        const seen: { sentence: number; step: number }[] = [];
        const model = new PureStepModel(any.sentences, any.vocabulary, (sentence, history) => {
          seen.push({ sentence, step: history.length });
          return any.scores(sentence, history);
        });
        const isCancelled = (sentence: number) => model.rowsPerCall.length >= (times[sentence] ?? Infinity);

        const { hypotheses, steps } = searches[kind](model, { ...any.options, isCancelled });

        expect(steps).toBe(model.rowsPerCall.length);
        expect(hypotheses).toHaveLength(any.sentences);
        hypotheses.forEach((answer, sentence) => {
          const time = times[sentence] ?? Number.POSITIVE_INFINITY;
          if (time > steps) expect(answer).toEqual(undisturbed.hypotheses[sentence]);
          expect(seen.filter((sight) => sight.sentence === sentence && sight.step >= time)).toEqual([]);
        });
      }),
    );
  });
});

describe('whatever the model, beam search', () => {
  test('lists different hypotheses, at most as many as beams, best first', () => {
    fc.assert(
      fc.property(anyCase, (any) => {
        const score = scoreOf(any.options.lengthPenalty);
        for (const answer of run('beam', any).hypotheses) {
          expect(answer.length).toBeLessThanOrEqual(any.options.numBeams);
          expect(new Set(answer.map((hypothesis) => scoredTokensOf(hypothesis).join(' '))).size).toBe(answer.length);
          expect(answer.map(score)).toEqual(answer.map(score).sort((a, b) => b - a));
        }
      }),
    );
  });

  test('with one beam is greedy search', () => {
    fc.assert(
      fc.property(anyCase, (any) => {
        const narrow = run('beam', { ...any, options: { ...any.options, numBeams: 1 } });
        const greedy = run('greedy', any);

        expect(narrow.hypotheses.map(([best]) => best?.tokens)).toEqual(
          greedy.hypotheses.map(([best]) => best?.tokens),
        );
        expect(narrow.steps).toBe(greedy.steps);
      }),
    );
  });

  test('with beams for everything finds exactly what there is', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(-1, 0, 1, 2),
        (seed, vocabulary, limit, lengthPenalty) => {
          const scores = randomScores(seed, vocabulary);
          const score = scoreOf(lengthPenalty);
          const everything = allHypotheses(scores, vocabulary, limit).sort((a, b) => score(b) - score(a));

          const [found = []] = run('beam', {
            sentences: 1,
            vocabulary,
            scores,
            options: {
              prompt: [1],
              endToken: END,
              bannedTokens: [],
              maxNewTokens: [limit],
              withConfidence: true,
              isCancelled: () => false,
              numBeams: everything.length,
              lengthPenalty,
            },
          }).hypotheses;

          expect(found).toHaveLength(everything.length);
          found.forEach((hypothesis, rank) => {
            expect(score(hypothesis)).toBeCloseTo(score(everything[rank] as Hypothesis), 4);
          });
        },
      ),
    );
  });
});

/** Every sequence that ends within the limit, and every one that the limit cuts off. */
function allHypotheses(scores: Scores, vocabulary: number, limit: number): Hypothesis[] {
  const found: Hypothesis[] = [];
  const extend = (tokens: readonly number[]): void => {
    for (let token = 0; token < vocabulary; token++) {
      const scored = [...tokens, token];
      if (token !== END && scored.length < limit) {
        extend(scored);
        continue;
      }
      found.push({
        tokens: token === END ? tokens : scored,
        logProbability: logProbabilityOf(scores, 0, scored),
        scoredTokens: scored.length,
      });
    }
  };
  extend([]);
  return found;
}
