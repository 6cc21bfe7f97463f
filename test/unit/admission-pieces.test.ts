import { describe, expect, test } from 'vitest';
import { joinPieces, piecesOf } from '../../shared/admission/pieces.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import { type Asking, GateStage } from '../support/gate-stage.ts';

const inputOf = (texts: readonly string[]): TranslationInput => ({
  task: 'translation',
  texts,
  source: 'en',
  target: 'es',
});
const limits = { maxRows: 4, maxCharacters: 100 };

describe('the pieces of a request', () => {
  const sizes = (texts: readonly string[], beams = 1) =>
    piecesOf(inputOf(texts), limits, beams).map((piece) => piece.texts.length);

  test('have no more rows than a shared run', () => {
    expect(sizes(new Array(10).fill('a'))).toEqual([4, 4, 2]);
    expect(sizes(new Array(5).fill('a'), 2)).toEqual([2, 2, 1]);
    expect(sizes(new Array(2).fill('a'), 9)).toEqual([1, 1]);
  });

  test('have no more characters, but for a text that has more by itself', () => {
    expect(sizes(['a'.repeat(60), 'b'.repeat(40), 'c', 'd'.repeat(200), 'e'])).toEqual([2, 1, 1, 1]);
  });

  test('are one where all of it is no larger, or nothing', () => {
    const input = inputOf(['a', 'b']);

    expect(piecesOf(input, limits, 1)).toEqual([input]);
    expect(piecesOf(inputOf([]), limits, 1)).toEqual([inputOf([])]);
  });

  test('give one answer in the order of the texts', () => {
    const answer = (texts: readonly string[], steps: number) => ({
      task: 'translation' as const,
      translations: texts.map((text) => ({ text, alternatives: [], confidence: null })),
      usage: { sourceTokens: 2, targetTokens: 3, steps },
    });

    expect(joinPieces([answer(['a', 'b'], 5), answer(['c'], 7)])).toEqual({
      ...answer(['a', 'b', 'c'], 12),
      usage: { sourceTokens: 4, targetTokens: 6, steps: 12 },
    });
  });
});

describe('a request in pieces', () => {
  const batch: Asking = { priority: 'batch', characters: 10, laterCharacters: 90 };
  const busy = () => new GateStage(admissionSettings()).teach(100);

  test('is let in if all of them are through by its deadline', () => {
    const stage = busy();

    expect(stage.refusalOf({ ...batch, within: 700 })?.reason).toBe('deadline');
    expect(stage.refusalOf({ ...batch, laterCharacters: 0, within: 700 })).toBeUndefined();
  });

  test('is let in once: no later one is refused, however much waits', () => {
    const stage = new GateStage(admissionSettings({ queueLimit: 2 })).teach(100);
    const first = stage.ask(batch);
    stage.askAll(2, { priority: 'interactive' });
    stage.land(100);
    stage.ask({ priority: 'interactive' });

    expect(stage.refusalOf({ priority: 'batch' })?.reason).toBe('queue');
    expect(stage.refusalOf({ ...batch, laterCharacters: 0, continues: first })).toBeUndefined();
    expect(stage.scheduler.report().admitted).toBe(34);
  });

  test('lets more urgent ones go before its next piece, and none of its own kind', () => {
    const stage = busy();
    const first = stage.ask(batch);
    const other = stage.ask({ priority: 'batch' });
    const urgent = stage.ask({ priority: 'interactive' });
    stage.land(100);
    const next = stage.ask({ ...batch, laterCharacters: 0, continues: first });

    expect(stage.aboard).toEqual([[urgent]]);
    stage.land(100);
    expect(stage.aboard).toEqual([[next]]);
    stage.land(100);
    expect(stage.aboard).toEqual([[other]]);
  });

  test('is work ahead, in all its pieces, of those who are no more urgent alone', () => {
    const stage = new GateStage(admissionSettings(), { isBatching: true });
    for (let run = 0; run < 20; run++) {
      for (const characters of [5, 40]) {
        stage.ask({ characters });
        stage.land(characters);
      }
    }
    stage.ask({ ...batch, laterCharacters: 500 });

    expect(stage.refusalOf({ priority: 'batch', within: 300 })?.reason).toBe('deadline');
    expect(stage.refusalOf({ priority: 'interactive', within: 300 })).toBeUndefined();
  });

  test('is no work any more once it is through, or gone', () => {
    const stage = busy();
    const first = stage.ask(batch);
    stage.land(100);
    stage.ask({ ...batch, laterCharacters: 0, continues: first });
    stage.land(100);
    expect(stage.scheduler.report()).toMatchObject({ workAheadMs: 0, completed: 31 });

    stage.scheduler.leave(stage.ask({ ...batch, isReady: false }));
    expect(stage.scheduler.report().workAheadMs).toBe(0);
  });
});
