import { describe, expect, it } from 'vitest';
import { type Connection, freshnessOf } from '../../functions/control/dashboard/page/view/freshness.ts';
import { newsOf } from '../../functions/control/dashboard/page/view/news.ts';
import { breakerWith, healthWith, instanceWith, modelWith } from '../support/dashboard-documents.ts';

describe('news for those who listen', () => {
  it('are the turns of things, not their every move', () => {
    const before = healthWith({
      models: [modelWith('x', 'QUEUED'), modelWith('y', 'READY'), modelWith('z', 'UNLOADED')],
      breakers: [breakerWith('translate x@1', { state: 'OPEN' })],
      instances: [instanceWith({ id: 'a' }), instanceWith({ id: 'b' })],
    });
    expect(newsOf(before, { ...before, models: [modelWith('x', 'DOWNLOADING'), modelWith('y', 'READY')] })).toEqual([]);
    expect(newsOf(before, { ...before, status: 'degraded', reasons: ['x is open'] })).toEqual([
      'The fleet is degraded: x is open.',
    ]);
    expect(newsOf(before, { ...before, models: [modelWith('x', 'READY'), modelWith('z', 'DOWNLOADING')] })).toEqual([
      'x is READY.',
      'z is loading.',
    ]);
    expect(newsOf(before, { ...before, models: [...before.models, modelWith('new', 'READY')] })).toEqual([]);
    expect(newsOf(before, { ...before, breakers: [] })).toEqual(['The breaker of translate x@1 is CLOSED.']);
    expect(
      newsOf(before, { ...before, instances: [instanceWith({ id: 'a', stale: true }), instanceWith({ id: 'c' })] }),
    ).toEqual(['Instance a is stale: it says nothing any more.', 'Instance c has started.', 'Instance b is gone.']);
  });

  it('are few at a time', () => {
    const many = healthWith({ instances: Array.from({ length: 9 }, (_, n) => instanceWith({ id: `i${n}` })) });
    const news = newsOf(healthWith(), many);
    expect(news).toHaveLength(4);
    expect(news.at(-1)).toBe('And 6 more changes.');
  });
});

describe('the figures', () => {
  const fine: Connection = { ageMs: 3_000, failure: undefined, failures: 0, nextInMs: 2_000, isHidden: false };
  const silent = { kind: 'silent', why: 'no connection' } as const;

  it('are those of now as long as they are young, also if one reading failed', () => {
    expect(freshnessOf(fine)).toEqual({ words: 'read 3 s ago', isStale: false, alarm: undefined });
    expect(freshnessOf({ ...fine, failure: silent, failures: 1 }).isStale).toBe(false);
  });

  it('are marked with their age when readings fail or are late', () => {
    expect(freshnessOf({ ...fine, ageMs: 14_000, failure: silent, failures: 2, nextInMs: 7_600 })).toMatchObject({
      isStale: true,
      alarm: {
        kind: 'retry',
        title: 'These figures are 14 s old',
        text: 'The service cannot be reached. Next try in 8 s.',
      },
    });
    expect(freshnessOf({ ...fine, ageMs: 16_000, nextInMs: undefined })).toMatchObject({ isStale: true });
    expect(freshnessOf({ ...fine, ageMs: 16_000, isHidden: true }).isStale).toBe(false);
    expect(freshnessOf({ ...fine, ageMs: undefined, failure: silent, failures: 1 }).alarm?.title).toBe(
      'Nothing could be read yet',
    );
  });

  it('need a key where the service asks for one', () => {
    const unknown = { ...fine, ageMs: undefined, failure: { kind: 'unauthenticated', problem: undefined } } as const;
    expect(freshnessOf(unknown).alarm).toMatchObject({ kind: 'key', title: 'A key is needed' });
    const forbidden = { ...fine, failure: { kind: 'forbidden', problem: undefined } } as const;
    expect(freshnessOf(forbidden).alarm).toEqual({
      kind: 'key',
      title: 'This key may not look',
      text: 'This is not allowed to you. What is shown is 3 s old.',
    });
  });
});
