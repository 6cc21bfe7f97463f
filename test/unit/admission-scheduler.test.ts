import { describe, expect, test } from 'vitest';
import { ShedError, WaitExpiredError } from '../../shared/admission/errors.ts';
import type { Job } from '../../shared/admission/job.ts';
import { WaitingLine } from '../../shared/admission/waiting-line.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import { GateStage } from '../support/gate-stage.ts';

const { enabled: _, ...rest } = admissionSettings();
const open = { ...rest, enabled: false };

describe('a request that arrives', () => {
  test('runs at once where the model is free', () => {
    const stage = new GateStage(admissionSettings());

    const job = stage.ask({ within: 1 });

    expect(stage.aboard).toEqual([[job]]);
  });

  test('is let in as long as nothing is known, however much waits', () => {
    const stage = new GateStage(admissionSettings());

    expect(stage.askAll(50, { within: 5 })).toHaveLength(50);
  });

  test('is let in after the first runs of a model too, which are many times slower than all others', () => {
    const stage = new GateStage(admissionSettings());
    for (let run = 0; run < 4; run++) {
      stage.ask();
      stage.land(1_000);
    }

    expect(stage.refusalOf({ within: 100 })).toBeUndefined();
  });

  test('is let in as long as it is through by its deadline, and refused at once from then on', () => {
    const stage = new GateStage(admissionSettings()).teach(10);
    stage.askAll(5);

    // Five times ten ms before it, its own ten, and 1.3 times all that to be safe.
    expect(stage.refusalOf({ within: 77 })).toMatchObject({ code: 'OVERLOADED', reason: 'deadline', retryable: true });
    expect(stage.refusalOf({ within: 79 })).toBeUndefined();
  });

  test('needs the less time the more of the run before it is over', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.ask();
    expect(stage.refusalOf({ within: 200 })?.reason).toBe('deadline');

    stage.now += 90;

    expect(stage.refusalOf({ within: 200 })).toBeUndefined();
  });

  test('that alone takes longer than its time is refused, unless the model has not run for a while', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    expect(stage.refusalOf({ within: 50 })?.reason).toBe('deadline');

    stage.now += 5_001;

    expect(stage.refusalOf({ within: 50 })).toBeUndefined();
  });

  test('is refused behind a run that takes longer than that while', () => {
    const stage = new GateStage(admissionSettings()).teach(10_000, { within: 60_000 });
    stage.ask({ within: 60_000 });

    stage.now += 6_000;

    expect(stage.refusalOf({ within: 3_000, characters: 1 })?.reason).toBe('deadline');
  });

  test('without a deadline waits no longer than is configured, and takes as long as it takes', () => {
    const stage = new GateStage(admissionSettings({ defaultWaitMs: 100 })).teach(10);

    expect(stage.refusalOf({ characters: 100_000 })).toBeUndefined();
    expect(stage.refusalOf({})?.reason).toBe('deadline');
  });

  test('has no time left: its own signal tells it so, not the gate', () => {
    const stage = new GateStage(admissionSettings()).teach(10);
    stage.ask();

    expect(stage.refusalOf({ within: 0, isReady: false })).toBeUndefined();
  });

  test('for a model that loads is let in, though nobody knows how long that takes', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.now += 60_000;

    expect(stage.refusalOf({ within: 10, isLoaded: false, isReady: false })).toBeUndefined();
  });

  test('does not wait behind another model', () => {
    const stage = new GateStage(admissionSettings()).teach(10, { model: 'other@1' }).teach(10);
    stage.askAll(20);

    expect(stage.refusalOf({ model: 'other@1', within: 20 })).toBeUndefined();
    expect(stage.aboard).toHaveLength(2);
  });

  test('for a model that nobody has asked yet leaves the others as they are', () => {
    const stage = new GateStage(admissionSettings());
    stage.ask();
    stage.ask({ model: 'other@1' });

    expect(stage.scheduler.report().inFlight).toBe(2);
  });

  test('is never refused where the gate is off', () => {
    const stage = new GateStage({ ...open, queueLimit: 1 }).teach(10);

    expect(stage.askAll(20, { within: 20, priority: 'batch' })).toHaveLength(20);
    stage.ask();
    expect(stage.refusals.size).toBe(0);
    expect(stage.scheduler.earlyRefusal(['m@1'], stage.now + 1)).toBeUndefined();
  });
});

describe('what waits', () => {
  test('is bounded in number, those who wait for a load included', () => {
    const stage = new GateStage(admissionSettings({ queueLimit: 3 }));
    stage.ask();
    stage.askAll(2);
    stage.ask({ isReady: false, isLoaded: false });

    expect(stage.refusalOf({})).toMatchObject({ reason: 'queue' });
    expect(stage.scheduler.report().waiting).toBe(3);
  });

  test('is bounded in time, whatever the deadlines are', () => {
    const stage = new GateStage(admissionSettings({ longestWaitMs: 550 })).teach(100);
    stage.askAll(6, { within: 60_000 });

    expect(stage.refusalOf({ within: 60_000 })?.reason).toBe('queue');
  });

  test('is so bounded too where the model has had no free moment', () => {
    const settings = { longestWaitMs: 550, standingAfterMs: 0, standingWaitPercent: 100 };
    const stage = new GateStage(admissionSettings(settings)).teach(100);
    stage.askAll(6, { within: 60_000 });
    stage.now += 1;

    expect(stage.refusalOf({ within: 60_000 })?.reason).toBe('queue');
  });

  test('is not less since what runs takes longer than was thought', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.askAll(6);

    stage.now += 1_000;

    expect(stage.scheduler.report().workAheadMs).toBeCloseTo(500, 0);
  });

  describe('of a model that has had no free moment for long', () => {
    const busy = () => {
      const settings = { standingAfterMs: 0, standingWaitPercent: 50, overloadWaitPercent: 10 };
      const stage = new GateStage(admissionSettings(settings)).teach(100);
      stage.askAll(3, { within: 60_000 });
      stage.now += 1;
      return stage;
    };
    /** Ms of a deadline that is refused since too much waits, and of one that is not. */
    const tooLittle = { within: 1_000 };
    const refuse = (stage: GateStage, times: number) => {
      for (let time = 0; time < times; time++) expect(stage.refusalOf({ within: 200 })?.reason).toBe('deadline');
    };

    test('takes half of a deadline while hardly anybody is refused', () => {
      expect(busy().refusalOf(tooLittle)).toBeUndefined();
    });

    test('takes a tenth of it where most are', () => {
      const stage = busy();
      refuse(stage, 100);

      expect(stage.refusalOf(tooLittle)?.reason).toBe('queue');
      expect(stage.refusalOf({ within: 2_950 })?.reason).toBe('queue');
      expect(stage.refusalOf({ within: 3_050 })).toBeUndefined();
    });

    test('takes as much of the time that those have who give no deadline', () => {
      const settings = { standingAfterMs: 0, standingWaitPercent: 50, overloadWaitPercent: 10, defaultWaitMs: 1_000 };
      const stage = new GateStage(admissionSettings(settings)).teach(100);
      stage.askAll(5);
      stage.now += 1;

      expect(stage.refusalOf({})).toBeUndefined();
      expect(stage.refusalOf({})?.reason).toBe('queue');
    });

    test('takes the less the more are', () => {
      const stage = busy();
      refuse(stage, 10);

      expect(stage.refusalOf({ within: 800 })?.reason).toBe('queue');
      expect(stage.refusalOf({ within: 900 })).toBeUndefined();
    });

    test('is as long as before once hardly anybody is refused again', () => {
      const stage = busy();
      refuse(stage, 100);
      for (let time = 0; time < 300; time++) {
        stage.scheduler.leave(stage.ask({ within: 60_000, isReady: false }));
      }

      expect(stage.refusalOf(tooLittle)).toBeUndefined();
    });

    test('is held shorter by refusals before the body is read as well', () => {
      const stage = busy();
      for (let time = 0; time < 100; time++) stage.scheduler.earlyRefusal(['m@1'], stage.now + 1);

      expect(stage.refusalOf(tooLittle)?.reason).toBe('queue');
    });

    test('is not held shorter since some want what could never be through in their time', () => {
      const stage = busy();
      for (let time = 0; time < 100; time++) expect(stage.refusalOf({ within: 50 })?.reason).toBe('deadline');

      expect(stage.refusalOf(tooLittle)).toBeUndefined();
    });
  });

  test('is held shorter once the model has had no free moment for a while', () => {
    const stage = new GateStage(admissionSettings({ standingAfterMs: 1_000, standingWaitPercent: 10 })).teach(100);
    const keepBusy = (runs: number) => {
      for (let run = 0; run < runs; run++) {
        stage.ask({ within: 10_000 });
        stage.land(100);
      }
    };
    stage.askAll(12, { within: 10_000 });
    expect(stage.refusalOf({ within: 10_000 })).toBeUndefined();

    keepBusy(11);

    expect(stage.refusalOf({ within: 10_000 })?.reason).toBe('queue');
    while (stage.flights.length > 0) stage.land(100);
    stage.askAll(12, { within: 10_000 });
    expect(stage.refusalOf({ within: 10_000 })).toBeUndefined();
  });

  test('has its turn in the order of arrival, the higher priority first', () => {
    const stage = new GateStage(admissionSettings());
    const [first, second] = stage.askAll(2);
    const batch = stage.ask({ priority: 'batch' });
    const third = stage.ask();

    const turns = [];
    while (stage.flights.length > 0) {
      turns.push(...stage.aboard);
      stage.land();
    }
    expect(turns).toEqual([[first], [second], [third], [batch]]);
  });

  test('is dropped when its deadline has passed, before it costs a run', () => {
    const stage = new GateStage(admissionSettings());
    stage.ask();
    const late = stage.ask({ within: 50 });
    const next = stage.ask();

    stage.land(60);

    expect(stage.refusals.get(late)).toBeInstanceOf(WaitExpiredError);
    expect(stage.aboard).toEqual([[next]]);
    expect(stage.scheduler.report().missed).toBe(1);
  });

  test('has its time from when its model is there, where its caller gave no deadline', () => {
    const stage = new GateStage(admissionSettings({ defaultWaitMs: 100 }));
    const job = stage.ask({ isLoaded: false, isReady: false });
    stage.now += 5_000;

    stage.scheduler.ready(job, {});

    expect(stage.aboard).toEqual([[job]]);
    // Once it runs nobody cuts it off.
    stage.land(200);
    expect(stage.scheduler.report()).toMatchObject({ completed: 1, missed: 0 });
  });

  test('frees its place at once when its caller goes', () => {
    const stage = new GateStage(admissionSettings({ queueLimit: 1 })).teach();
    stage.ask();
    const job = stage.ask();
    expect(stage.refusalOf({})?.reason).toBe('queue');

    stage.scheduler.leave(job);

    expect(stage.scheduler.report()).toMatchObject({ waiting: 0, inFlight: 1 });
    expect(stage.refusalOf({})).toBeUndefined();
  });
});

describe('an urgent request', () => {
  test('takes the place of the one of lower priority that came last, when no more may wait', () => {
    const stage = new GateStage(admissionSettings({ queueLimit: 2 })).teach();
    stage.ask();
    const [kept, displaced] = stage.askAll(2, { priority: 'batch' });

    const urgent = stage.ask();

    expect(stage.refusals.get(displaced as never)).toMatchObject({ reason: 'displaced', code: 'OVERLOADED' });
    expect([kept, urgent].some((job) => stage.refusals.has(job as never))).toBe(false);
    expect(stage.refusalOf({ priority: 'batch' })?.reason).toBe('queue');
  });

  test('tells those at once whom it makes too late', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.ask();
    const early = stage.ask({ priority: 'batch', within: 10_000 });
    const late = stage.ask({ priority: 'batch', within: 500 });

    stage.askAll(2);

    expect(stage.refusals.get(late)).toMatchObject({ reason: 'displaced' });
    expect(stage.refusals.has(early)).toBe(false);
  });

  test('tells nobody so who has all the time for its run', () => {
    const stage = new GateStage(admissionSettings({ defaultWaitMs: 1_000 })).teach(100);
    stage.ask();
    const long = stage.ask({ priority: 'batch', characters: 1_000 });

    stage.ask();
    expect(stage.refusals.has(long)).toBe(false);
    stage.askAll(6);

    expect(stage.refusals.get(long)).toMatchObject({ reason: 'displaced' });
  });

  test('does not wait behind what waits with less', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.askAll(10, { priority: 'batch' });

    expect(stage.refusalOf({ within: 300 })).toBeUndefined();
    expect(stage.refusalOf({ within: 300, priority: 'batch' })?.reason).toBe('deadline');
  });
});

describe('before its body is read', () => {
  const refusal = (stage: GateStage, models: string[], within: number) =>
    stage.scheduler.earlyRefusal(models, stage.now + within);

  test('a request is refused where no model could serve even the smallest in time', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    stage.askAll(5);

    expect(refusal(stage, ['m@1'], 600)).toMatchObject({ reason: 'early', code: 'OVERLOADED' });
    expect(refusal(stage, ['m@1'], 700)).toBeUndefined();
    expect(stage.scheduler.report().shed.early).toBe(1);
  });

  test('it is not where another model could, or one that nobody has asked yet, or there is none', () => {
    const stage = new GateStage(admissionSettings()).teach(100).teach(10, { model: 'free@1' });
    stage.askAll(5);

    expect(refusal(stage, ['m@1', 'free@1'], 100)).toBeUndefined();
    expect(refusal(stage, ['m@1', 'new@1'], 100)).toBeUndefined();
    expect(refusal(stage, [], 100)).toBeUndefined();
  });

  test('it is refused too where the model has had no free moment for long', () => {
    const stage = new GateStage(admissionSettings({ standingAfterMs: 300, standingWaitPercent: 10 })).teach(100);
    stage.askAll(10);
    for (let run = 0; run < 4; run++) stage.land(100);

    expect(refusal(stage, ['m@1'], 5_000)).toMatchObject({ reason: 'early' });
    expect(refusal(stage, ['m@1'], 9_000)).toBeUndefined();
  });
});

describe('Retry-After', () => {
  test('comes from what is too much, spread so that not all come back at once, and is at least a second', () => {
    const stage = new GateStage(admissionSettings()).teach(1_000);
    stage.askAll(4);
    const seconds = (within: number) => stage.refusalOf({ within })?.retryAfterSeconds;

    expect([seconds(1_500), seconds(6_400)]).toEqual([5, 1]);
    stage.random = 0.99;
    expect([seconds(1_500), seconds(6_400)]).toEqual([10, 2]);
  });
});

describe('the thread', () => {
  test('is given so many runs at once and no more', () => {
    const stage = new GateStage(admissionSettings({ concurrency: 2 }));
    stage.askAll(5);

    expect(stage.aboard).toHaveLength(2);
    expect(stage.scheduler.report()).toMatchObject({ inFlight: 2, limit: 2, waiting: 3 });
  });

  test('goes on with the next when a run has failed or its caller has gone', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    const [gone, next] = stage.askAll(2);
    const [flight] = stage.flights;
    expect(stage.scheduler.report().workAheadMs).toBeGreaterThan(199);
    stage.scheduler.leave(gone as never);
    expect(stage.scheduler.report().inFlight).toBe(0);
    expect(stage.scheduler.report().workAheadMs).toBeLessThan(101);

    stage.scheduler.ended(flight as never, undefined);

    expect(stage.flights.at(-1)?.jobs).toEqual(new Set([next]));
  });
});

describe('those who wait for one model', () => {
  const batching = (batching = {}, more = {}) =>
    new GateStage(admissionSettings({ ...more, batching }), { isBatching: true });

  test('share a run as far as there is room, in their order', () => {
    const stage = batching({ maxRows: 4 });
    stage.ask();
    const waiting = stage.askAll(6);

    stage.land();

    expect(stage.aboard).toEqual([waiting.slice(0, 4)]);
    expect(stage.scheduler.report()).toMatchObject({ batches: 1, batchedRequests: 4, limit: 4 });
  });

  test.each([
    ['rows', { maxRows: 8 }, { texts: 2, beams: 2 }],
    ['characters', { maxCharacters: 100 }, { characters: 50 }],
  ])('share it up to its %s', (_what, bounds, asking) => {
    const stage = batching(bounds);
    stage.ask();
    const waiting = stage.askAll(3, asking);

    stage.land();

    expect(stage.aboard).toEqual([waiting.slice(0, 2)]);
  });

  test('and are larger than a run may be, run alone', () => {
    const stage = batching({ maxRows: 4 });
    stage.ask();
    const large = stage.ask({ texts: 100 });
    stage.ask();

    stage.land();

    expect(stage.aboard).toEqual([[large]]);
  });

  test.each([
    ['want something else of it', { kind: 'es-en' }],
    ['have another worker of it', { worker: {} }],
  ])('and %s have a run of their own, the first of all first', (_what, other) => {
    const stage = batching({ maxWaitMs: 0 });
    stage.ask();
    const [a, b, c] = [stage.ask(), stage.ask(other), stage.ask()];

    stage.land();
    const together = stage.aboard;
    stage.land();

    expect([together, stage.aboard]).toEqual([[[a, c]], [[b]]]);
  });

  test('each have their own where runs are not shared', () => {
    const stage = new GateStage(admissionSettings());
    stage.askAll(3);

    stage.land();

    expect(stage.aboard.map(({ length }) => length)).toEqual([1]);
  });

  test('have the next run posted while one is under way once it is full, not before', () => {
    const stage = batching({ maxRows: 3 }, { concurrency: 2 });
    stage.ask();
    stage.askAll(2);
    expect(stage.aboard.map(({ length }) => length)).toEqual([1]);

    stage.ask();

    expect(stage.aboard.map(({ length }) => length)).toEqual([1, 3]);
  });

  test('are waited for a moment where the run before answered more of them; a lone one never waits', () => {
    const stage = batching({ maxWaitMs: 2 });
    stage.ask();
    expect(stage.aboard).toHaveLength(1);
    stage.askAll(3);
    stage.land();
    stage.land();

    const next = stage.ask();
    expect(stage.aboard).toEqual([]);
    expect(stage.looks).toEqual([stage.now + 2]);
    stage.now += 2;
    stage.scheduler.tick();

    expect(stage.aboard).toEqual([[next]]);
  });

  test('are not waited for where others wait who cannot share', () => {
    const stage = batching({ maxWaitMs: 2 });
    stage.ask();
    stage.askAll(3);
    stage.land();
    const next = stage.ask({ kind: 'es-en' });
    stage.ask({ kind: 'fr-en' });

    stage.land();

    expect(stage.aboard).toEqual([[next]]);
  });

  test('run again, each alone and where they were, when the run that they shared has failed', () => {
    const stage = batching();
    stage.ask();
    const [a, b] = stage.askAll(2);
    stage.land();
    const later = stage.ask();
    const [failed] = stage.flights;
    for (const job of [a, b]) stage.scheduler.again(job as never);
    stage.flights.shift();

    stage.scheduler.ended(failed as never, undefined);

    const turns = [];
    while (stage.flights.length > 0) {
      turns.push(...stage.aboard);
      stage.land();
    }
    expect(turns).toEqual([[a], [b], [later]]);
  });
});

test('who must run alone does not join a more urgent one', () => {
  const stage = new GateStage(admissionSettings({ batching: { maxWaitMs: 0 } }), { isBatching: true });
  stage.ask();
  const alone = stage.askAll(2, { priority: 'batch' });
  stage.land();
  const [failed] = stage.flights;
  for (const job of alone) stage.scheduler.again(job);
  const urgent = stage.ask();
  stage.flights.shift();

  stage.scheduler.ended(failed as never, undefined);

  expect(stage.aboard).toEqual([[urgent]]);
});

describe('what runs are expected to take', () => {
  test('is not learnt from a run that somebody left', () => {
    const stage = new GateStage(admissionSettings({ batching: { maxWaitMs: 0 } }), { isBatching: true }).teach(10);
    for (let run = 0; run < 5; run++) {
      stage.ask();
      stage.askAll(2);
      stage.land();
      stage.scheduler.leave([...(stage.flights[0]?.jobs ?? [])][0] as never);
      stage.land(1_000);
    }

    expect(stage.scheduler.report().serviceMs?.p90).toBe(10);
    stage.ask();
    expect(stage.scheduler.report().workAheadMs).toBeCloseTo(10, 1);
  });

  test('is not learnt from a run that failed', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    const job = stage.ask();
    stage.now += 1_000;
    stage.scheduler.leave(job);
    stage.scheduler.ended(stage.flights.shift() as never, undefined);

    expect(stage.leastMs()).toBeCloseTo(130, 0);
  });

  test('does not count the run before it in the thread', () => {
    const stage = new GateStage(admissionSettings({ concurrency: 2 })).teach(100);
    for (let pair = 0; pair < 10; pair++) {
      stage.askAll(2);
      stage.land(100);
      stage.land(100);
    }

    expect(stage.leastMs()).toBeCloseTo(130, 0);
  });

  test('is less for those who will share a run, for what a run takes besides', () => {
    const stage = new GateStage(admissionSettings(), { isBatching: true });
    for (let run = 0; run < 20; run++) stage.teach(54).teach(90, { characters: 100 });
    stage.askAll(9);

    // 54 ms of the first, and for eight others 4 ms each and 50 ms once.
    expect(stage.scheduler.report().workAheadMs).toBeGreaterThan(110);
    expect(stage.scheduler.report().workAheadMs).toBeLessThan(170);
  });

  test('is stretched the more the more come too late', () => {
    const stage = new GateStage(admissionSettings()).teach(100);
    expect(stage.leastMs()).toBeCloseTo(130, 0);

    stage.ask({ within: 300 });
    const late = stage.ask({ within: 300 });
    stage.land(100);
    stage.scheduler.leave(late, true);
    stage.scheduler.ended(stage.flights.shift() as never, undefined);

    expect(stage.leastMs()).toBeCloseTo(140, 0);
  });

  test('is stretched by who was answered, but much later than was thought', () => {
    const stage = new GateStage(admissionSettings()).teach(100);

    stage.askAll(2, { within: 500 });
    stage.land(100);
    stage.now += 250;
    const turnaroundMs = 25;
    stage.land(100);

    expect(stage.leastMs()).toBeCloseTo((100 + turnaroundMs) * 1.4, 0);
  });

  test('is not stretched by the own run of who gives no deadline', () => {
    const stage = new GateStage(admissionSettings({ defaultWaitMs: 380 })).teach(100);
    stage.askAll(2);
    stage.land(100);
    stage.land(100);

    expect(stage.leastMs()).toBeCloseTo(130, 0);
  });

  test.each([
    ['since more urgent ones went before it', { priority: 'batch' } as const, 0],
    ['since its model was loading', { isLoaded: false, isReady: false }, 400],
  ])('is not stretched by who was late %s', (_why, asking, loadMs) => {
    const stage = new GateStage(admissionSettings()).teach(100);
    const jobs = stage.askAll(2, { within: 700, ...asking });
    stage.now += loadMs;
    if (loadMs > 0) for (const job of jobs) stage.scheduler.ready(job, {});
    stage.land(100);
    stage.scheduler.leave(jobs[1] as never, true);
    stage.scheduler.ended(stage.flights.shift() as never, undefined);

    expect(stage.leastMs()).toBeCloseTo(130, 0);
  });
});

test('a model of which nothing was heard for an hour is forgotten', () => {
  const stage = new GateStage(admissionSettings()).teach(10);
  stage.now += 3_600_001;

  stage.ask({ model: 'other@1' });

  expect(stage.scheduler.report().limit).toBe(1);
});

test('the work of those who wait is nothing once nobody does', () => {
  const line = new WaitingLine();
  const jobs = [0.1, 0.2, 0.3, 0.7].map((shareMs, order) => ({ shareMs, order }) as Job);
  for (const job of jobs) line.add(job);
  for (const job of jobs) line.remove(job);

  expect(line.workMs).toBe(0);
});

test('an answer after its deadline is a miss', () => {
  const stage = new GateStage(admissionSettings());
  stage.ask({ within: 50 });
  stage.land(60);

  expect(stage.scheduler.report()).toMatchObject({ completed: 0, missed: 1 });
});

test('whoever is through or gone is counted once', () => {
  const stage = new GateStage(admissionSettings());
  const job = stage.ask();
  stage.land();
  stage.scheduler.finish(job);
  stage.scheduler.leave(job, true);
  stage.scheduler.ready(job, {});
  stage.scheduler.again(job);

  expect(stage.scheduler.report()).toMatchObject({ admitted: 1, completed: 1, missed: 0, waiting: 0, inFlight: 0 });
  expect(new ShedError('queue', {}).code).toBe('OVERLOADED');
});
