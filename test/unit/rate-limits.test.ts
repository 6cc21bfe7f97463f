import { describe, expect, it } from 'vitest';
import {
  addUntold,
  bucketAddress,
  chargeBucket,
  levelsIn,
  type Untold,
} from '../../shared/fleet/rate-limits/bucket.ts';
import { RateLimits } from '../../shared/fleet/rate-limits/rate-limits.ts';
import type { Update, UpdateAnswer } from '../../shared/fleet/table/fleet-table.ts';
import { flushed, RateStage } from '../support/rate-stage.ts';

const perMinute = { requests: 60, characters: 6_000 };
const one = { requests: 1, characters: 10 };

describe('a caller', () => {
  it('may ask for a minute’s worth at once, and for more as it comes back', async () => {
    const stage = new RateStage(1);
    const ask = async () => {
      const taken = stage.take(0, perMinute, one);
      await stage.settleAll();
      return taken;
    };
    for (let n = 0; n < 60; n++) expect((await ask()).refused).toBeUndefined();
    expect((await ask()).refused).toEqual({ kind: 'requests', perMinute: 60, seconds: 1 });
    stage.now += 1_000;
    expect((await ask()).refused).toBeUndefined();
    expect((await ask()).refused).toBeDefined();
    stage.now += 60_000;
    for (let n = 0; n < 60; n++) expect((await ask()).refused).toBeUndefined();
  });

  it('is told what is left of each limit, and when all of it is there again', async () => {
    const stage = new RateStage(1);
    const { gauges } = await stage.take(0, perMinute, { requests: 1, characters: 1_000 });
    expect(gauges).toEqual([
      { kind: 'requests', perMinute: 60, left: 59, seconds: 1 },
      { kind: 'characters', perMinute: 6_000, left: 5_000, seconds: 10 },
    ]);
    const { refused, gauges: after } = await stage
      .take(0, perMinute, { requests: 1, characters: 6_000 })
      .finally(() => undefined);
    expect({ refused, after: after[1] }).toEqual({
      refused: { kind: 'characters', perMinute: 6_000, seconds: 10 },
      after: { kind: 'characters', perMinute: 6_000, left: 5_000, seconds: 10 },
    });
  });

  it('with more than a minute’s worth in one request waits until nothing else was asked for', async () => {
    const stage = new RateStage(1);
    const whole = { requests: 1, characters: 50_000 };
    expect((await stage.take(0, perMinute, whole)).refused).toBeUndefined();
    await stage.settleAll();
    expect((await stage.take(0, perMinute, whole)).refused?.seconds).toBe(60);
    stage.now += 60_000;
    expect((await stage.take(0, perMinute, whole)).refused).toBeUndefined();
  });

  it('without a limit is let through, and costs nothing', async () => {
    const stage = new RateStage(1);
    for (let n = 0; n < 1_000; n++) {
      expect(await stage.take(0, {}, { requests: 1, characters: 1e6 })).toEqual({ refused: undefined, gauges: [] });
    }
    expect(stage.calls).toBe(0);
  });

  it('with odd limits has all of them', async () => {
    const stage = new RateStage(1);
    for (let n = 0; n < 7; n++) {
      const taken = stage.take(0, { requests: 7 }, one);
      await stage.settleAll();
      expect((await taken).refused).toBeUndefined();
    }
    expect((await stage.take(0, { requests: 7 }, one)).refused).toBeDefined();
  });

  it('has nothing taken when it is refused', async () => {
    const stage = new RateStage(1);
    await stage.take(0, perMinute, { requests: 1, characters: 5_900 });
    await stage.settleAll();
    for (let n = 0; n < 100; n++) {
      expect((await stage.take(0, perMinute, { requests: 1, characters: 500 })).refused?.kind).toBe('characters');
    }
    expect((await stage.take(0, perMinute, { requests: 1, characters: 100 })).refused).toBeUndefined();
  });

  it('who is counted by one instance alone never asks the store', async () => {
    const stage = new RateStage(1);
    const alone = { isShared: false };
    for (let n = 0; n < 60; n++) expect((await stage.take(0, perMinute, one, alone)).refused).toBeUndefined();
    expect((await stage.take(0, perMinute, one, alone)).refused).toBeDefined();
    expect(stage.calls).toBe(0);
  });

  it('is not shut out by a clock that was set back', async () => {
    const stage = new RateStage(1);
    const alone = { isShared: false };
    for (let n = 0; n < 60; n++) await stage.take(0, perMinute, one, alone);
    stage.now -= 120_000;
    expect((await stage.take(0, perMinute, one, alone)).refused).toBeUndefined();
  });

  it('of many is forgotten with the least recent of them, not kept for ever', async () => {
    const stage = new RateStage(1);
    const spend = (subject: string) => stage.take(0, { requests: 1 }, one, { subject, isShared: false });
    await spend('first');
    expect((await spend('first')).refused).toBeDefined();
    for (let n = 0; n < 5_000; n++) await spend(`caller ${n}`);
    expect((await spend('first')).refused).toBeUndefined();
  });
});

describe('another instance', () => {
  it('hears what was let through elsewhere with the first request that it tells of', async () => {
    const stage = new RateStage(2);
    await stage.take(0, perMinute, { requests: 1, characters: 6_000 });
    await stage.settleAll();

    expect((await stage.take(1, perMinute, one)).refused).toBeUndefined();
    await stage.settleAll();
    expect((await stage.take(1, perMinute, one)).refused).toEqual({ kind: 'characters', perMinute: 6_000, seconds: 1 });
  });

  it('lets nobody wait for the store within its allowance, and beyond it until the store has answered', async () => {
    const stage = new RateStage(1);
    for (let n = 0; n < 3; n++) expect((await stage.take(0, perMinute, one)).refused).toBeUndefined();
    let isThrough = false;
    const fourth = stage.take(0, perMinute, one).then((verdict) => {
      isThrough = true;
      return verdict;
    });
    await flushed();
    expect(isThrough).toBe(false);
    await stage.settleAll();
    expect((await fourth).refused).toBeUndefined();
  });

  it('is told of what was let through while the store was told of something else', async () => {
    const stage = new RateStage(1);
    for (let n = 0; n < 3; n++) await stage.take(0, perMinute, one);
    await stage.settleAll();
    await stage.take(0, perMinute, one);
    const fifth = stage.take(0, perMinute, one);
    await stage.settleAll();
    expect((await fifth).refused).toBeUndefined();
    const { item } = stage.table.read(bucketAddress('key:x'));
    expect(levelsIn(item).requests).toBe(stage.now + 4_000);
  });

  it('goes on to tell the store when the clock was set back', async () => {
    const stage = new RateStage(1);
    for (const back of [0, 3_600_000]) {
      stage.now -= back;
      await stage.take(0, perMinute, one);
      await stage.settleAll();
    }
    expect(stage.calls).toBe(2);
  });

  it('lets through of many who waited together only what is within its allowance, before the store knows', async () => {
    const stage = new RateStage(1);
    let through = 0;
    for (let n = 0; n < 50; n++) void stage.take(0, perMinute, one).then(() => (through += 1));
    await flushed();
    expect(through).toBe(3);
    await stage.settle(0, 'answered');
    expect(through).toBeLessThanOrEqual(7);
    await stage.settleAll();
    expect(through).toBe(50);
  });
});

describe('while the store is away', () => {
  it('or never as it was said to be, nobody is held up', async () => {
    const update = (_: Update, done: (answer: UpdateAnswer) => void) =>
      queueMicrotask(() => done({ kind: 'refused', item: undefined }));
    const limits = new RateLimits({ table: { update }, clock: { now: () => 1_000_000 } });
    for (let n = 0; n < 10; n++) {
      expect((await limits.take({ subject: 'x', perMinute, isShared: true }, one)).refused).toBeUndefined();
    }
  });

  it('nobody waits twice, and each instance limits by what it sees', async () => {
    const stage = new RateStage(2);
    for (const instance of [0, 1]) {
      const taken = Array.from({ length: 80 }, () => stage.take(instance, perMinute, one));
      await flushed();
      while (stage.outstanding > 0) await stage.settle(0, 'call lost');
      const verdicts = await Promise.all(taken);
      expect(verdicts.filter(({ refused }) => refused === undefined)).toHaveLength(60);
    }
    expect(stage.calls).toBe(2);
  });

  it('what is served is not held against its caller for long', async () => {
    const stage = new RateStage(1);
    const through = async () => (await stage.take(0, perMinute, one)).refused === undefined;
    void stage.take(0, perMinute, one);
    await stage.settle(0, 'call lost');
    for (let n = 0; n < 40; n++) expect(await through()).toBe(true);
    stage.now += 3_000;
    const taken = through();
    await flushed();
    await stage.settle(0, 'call lost');
    expect(await taken).toBe(true);
    stage.now += 3_000;
    const after = through();
    await stage.settleAll();
    expect(await after).toBe(true);
    const { item } = stage.table.read(bucketAddress('key:x'));
    expect(levelsIn(item).requests - stage.now).toBeLessThanOrEqual(5_000);
  });

  it('it is asked nothing of other callers either', async () => {
    const stage = new RateStage(1);
    void stage.take(0, perMinute, one);
    await stage.settleAll('call lost');
    for (let n = 0; n < 10; n++) await stage.take(0, perMinute, one, { subject: `key:${n}` });
    expect(stage.calls).toBe(1);
  });

  it('the store is asked again after two seconds', async () => {
    const stage = new RateStage(1);
    for (let second = 0; second < 20; second++) {
      void stage.take(0, perMinute, { requests: 4, characters: 0 });
      await stage.settleAll('call lost');
      stage.now += 1_000;
    }
    expect(stage.calls).toBeGreaterThanOrEqual(6);
    expect(stage.calls).toBeLessThanOrEqual(11);
  });
});

describe('the bucket in the table', () => {
  const now = 1_000_000;
  const knownAs = (requests: number) => ({ requests, characters: 0 });
  const since = (at: number, known = 0) => addUntold(undefined, { requests: 500, characters: 0 }, knownAs(known), at);
  const tableOf = () => {
    const { table } = new RateStage(1);
    return (untold: Untold, known: number, at = now) => table.apply(chargeBucket('x', untold, knownAs(known), at));
  };

  it('is behind by what was used since it was full, not since that was told; and is kept for an hour', () => {
    const charge = tableOf();
    expect(charge(since(now - 400), 0)).toEqual({ kind: 'updated', item: { r: now + 100, expires: 4_600 } });
    expect(charge(since(now + 200, now + 100), now + 100, now + 300)).toMatchObject({ item: { r: now + 700 } });
    // Used at 650, when it was to be full at 700, and told at 1500.
    expect(charge(since(now + 650, now + 700), now + 700, now + 1_500)).toMatchObject({ item: { r: now + 1_200 } });
  });

  it('is changed by nobody who believes it to be full when it is not, nor the other way round', () => {
    const charge = tableOf();
    charge(since(now), 0);
    // It was not full any more when this was used, at 200: whoever believed so hears how it is.
    expect(charge(since(now + 200), 0, now + 300)).toMatchObject({ kind: 'refused', item: { r: now + 500 } });
    expect(charge(since(now + 200), now + 500, now + 300)).toMatchObject({ kind: 'updated', item: { r: now + 1_000 } });
    // It became full at 1000, after this was used and before it is told.
    expect(charge(since(now + 900), now + 2_000, now + 1_500)).toMatchObject({ kind: 'refused' });
    expect(charge(since(now + 900), now + 1_000, now + 1_500)).toMatchObject({ item: { r: now + 2_000 } });
  });

  it('is not believed when somebody’s clock was far ahead', () => {
    const charge = tableOf();
    const ahead = 86_400_000;
    charge(since(now + ahead), 0, now + ahead);
    expect(charge(since(now), now + ahead + 500)).toMatchObject({ kind: 'updated', item: { r: now + 500 } });
    charge(since(now + ahead), 0, now + ahead);
    // Nor is it added to by who has not seen that yet.
    expect(charge(since(now), now + 1)).toMatchObject({ kind: 'refused' });
  });
});
