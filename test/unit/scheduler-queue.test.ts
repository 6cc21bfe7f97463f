import { describe, expect, test } from 'vitest';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => scriptedManifest(id)) as [
  ReturnType<typeof scriptedManifest>,
  ReturnType<typeof scriptedManifest>,
  ReturnType<typeof scriptedManifest>,
  ReturnType<typeof scriptedManifest>,
];

describe('a model that is asked for', () => {
  test('is queued, loads at once when nothing else does, and is READY for all who asked meanwhile', () => {
    const stage = new SchedulerStage();
    const asked = stage.askAll([a, a, a]);
    expect(stage.begun).toBe(1);

    stage.comes(a);

    expect(asked.map(({ outcome }) => outcome)).toEqual(['a@1.0.0', 'a@1.0.0', 'a@1.0.0']);
    expect(stage.status(a)).toMatchObject({ state: 'READY', leases: 3, attempts: 0, progress: 1 });
    expect(stage.changes).toEqual([
      'a@1.0.0: UNLOADED > QUEUED',
      'a@1.0.0: QUEUED > DOWNLOADING',
      'a@1.0.0: DOWNLOADING > INITIALIZING',
      'a@1.0.0: INITIALIZING > WARMING',
      'a@1.0.0: WARMING > READY',
    ]);
  });

  test('and is READY is leased in the same step', () => {
    const stage = new SchedulerStage();
    stage.serve(a);

    expect(stage.ask(a).outcome).toBe('a@1.0.0');
    expect(stage.scheduler.holdReady(a, undefined)?.ready.leases).toBe(2);
    expect(stage.begun).toBe(1);
    expect(stage.scheduler.isReady('a')).toBe(true);
    expect(stage.scheduler.isReady('b')).toBe(false);
  });

  test('is not leased by whoever only wants to know that it is READY', () => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a, { wantsLease: false });
    stage.comes(a);

    expect(asked.outcome).toBe('a@1.0.0');
    expect(stage.status(a).leases).toBe(0);
  });

  test('has no hold to give before it is READY', () => {
    const stage = new SchedulerStage();
    stage.ask(a);

    expect(stage.scheduler.holdReady(a, undefined)).toBeUndefined();
  });

  test('shows its phase, its bytes and its reservation', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.scheduler.progressed(stage.loadOf(a), 50);

    expect(stage.status(a)).toMatchObject({
      state: 'DOWNLOADING',
      bytesLoaded: 50,
      bytesTotal: 100,
      progress: 0.35,
      memoryMb: 10,
      waiting: 1,
      attempts: 1,
      startedAt: 1_000_000,
    });
  });

  test('does not go back a phase by what is told after its load was through', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    const load = stage.loadOf(a);
    stage.comes(a);

    stage.scheduler.entered(load, 'WARMING');

    expect(stage.state(a)).toBe('READY');
  });
});

describe('the queue', () => {
  test('loads one model at a time, in the order in which they were asked for', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b, c]);
    expect([stage.loading, stage.scheduler.queued]).toEqual([['a@1.0.0'], 2]);

    stage.comes(a);
    expect([stage.loading, stage.scheduler.queued]).toEqual([['b@1.0.0'], 1]);

    stage.comes(b);
    expect([stage.loading, stage.scheduler.queued]).toEqual([['c@1.0.0'], 0]);
  });

  test('loads as many at a time as it may', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.askAll([a, b, c]);

    expect(stage.loading).toEqual(['a@1.0.0', 'b@1.0.0']);
  });

  test('puts those that wait for one answer before batches, and both before what nobody waits for', () => {
    const stage = new SchedulerStage();
    const first = scriptedManifest('first');
    stage.ask(first);
    stage.scheduler.preload(a);
    stage.askAll([b], 'batch');
    stage.askAll([c]);

    for (const expected of [first, c, b, a]) {
      expect(stage.loading).toEqual([`${expected.id}@1.0.0`]);
      stage.comes(expected);
    }
  });

  test('moves a model forward when somebody more urgent asks for it', () => {
    const stage = new SchedulerStage();
    stage.ask(d);
    stage.askAll([a, b], 'batch');
    stage.ask(b);
    stage.comes(d);

    expect(stage.loading).toEqual(['b@1.0.0']);
  });

  test('refuses at its limit, and loads nothing for those it refuses', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));
    const asked = stage.askAll([a, b, c]);

    expect(asked.map(({ outcome }) => outcome)).toEqual(['waits', 'waits', 'QUEUE_FULL']);
    expect(stage.state(c)).toBe('UNLOADED');
  });

  test('takes another one for a model that is in it already', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));

    expect(stage.askAll([a, b, b, a]).map(({ outcome }) => outcome)).toEqual(['waits', 'waits', 'waits', 'waits']);
  });

  test('at its limit turns out the last of those that are less urgent', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 2 }));
    stage.ask(a);
    const [earlier, later] = stage.askAll([b, c], 'batch');

    const urgent = stage.ask(d);

    expect([earlier?.outcome, later?.outcome, urgent.outcome]).toEqual(['waits', 'QUEUE_FULL', 'waits']);
    expect(later?.error?.model).toBe('c@1.0.0');
    expect([stage.state(c), stage.scheduler.queued]).toEqual(['UNLOADED', 2]);
  });

  test('at its limit turns out nobody who is as urgent', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));
    const [, waiting, refused] = stage.askAll([a, b, c], 'batch');

    expect([waiting?.outcome, refused?.outcome]).toEqual(['waits', 'QUEUE_FULL']);
  });

  test('has room again for a preload that was turned out, in its own time', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));
    stage.ask(a);
    stage.scheduler.preload(b);
    stage.ask(c);
    expect(stage.state(b)).toBe('UNLOADED');

    stage.comes(a);
    stage.pass(1);

    expect([stage.loading, stage.state(b)]).toEqual([['c@1.0.0'], 'QUEUED']);
  });

  test('says of a preload that finds no place why it waits', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));
    stage.askAll([a, b]);
    stage.scheduler.preload(c);

    expect(stage.status(c)).toMatchObject({ state: 'UNLOADED', error: { code: 'QUEUE_FULL' } });
  });

  test('says nothing of one that has its place', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);

    expect(stage.status(a).error).toBeUndefined();
  });

  test('refuses those who waited for a model to drain when there is no place for it by then', () => {
    const stage = new SchedulerStage(hostSettings({ queueLimit: 1 }));
    stage.serve(a);
    stage.scheduler.unload('a@1.0.0');
    const waits = stage.ask(a);
    stage.askAll([b, c]);
    expect(waits.outcome).toBe('waits');

    stage.ends(a);

    expect([waits.outcome, stage.state(a)]).toEqual(['QUEUE_FULL', 'UNLOADED']);
  });

  test('that is disabled loads all at once, without a limit', () => {
    const stage = new SchedulerStage(hostSettings({ queueEnabled: false, queueLimit: 1 }));
    stage.askAll([a, b, c]);

    expect(stage.loading).toHaveLength(3);
  });
});

describe('a download that nobody waits for', () => {
  test('makes way for one that somebody waits for, and goes on later without having lost its place or an attempt', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.scheduler.preload(b);
    stage.ask(c);
    expect([...stage.stopped.values()].map(({ code }) => code)).toEqual(['PREEMPTED']);
    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', attempts: 0 });

    stage.obeys(a);
    expect(stage.loading).toEqual(['c@1.0.0']);

    stage.comes(c);
    expect(stage.loading).toEqual(['a@1.0.0']);
    expect(stage.status(a).attempts).toBe(1);
  });

  test('does not begin again before it has come to its end', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.scheduler.preload(a);
    stage.ask(b);
    stage.ask(c);
    expect(stage.loading).toEqual(['b@1.0.0']);

    stage.comes(b);
    expect(stage.loading).toEqual(['c@1.0.0']);
    stage.comes(c);
    stage.pass(1);
    expect(stage.loading).toEqual([]);

    stage.obeys(a);
    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('does not make way for another that nobody waits for', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.scheduler.preload(b);

    expect(stage.stopped.size).toBe(0);
  });

  test('does not make way for one that is waited for in the background only, as a preload is', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.ask(b, { priority: 'background', wantsLease: false });

    expect(stage.stopped.size).toBe(0);
  });

  test('but in the background makes way for one that somebody else waits for', () => {
    const stage = new SchedulerStage();
    stage.ask(a, { priority: 'background', wantsLease: false });
    stage.ask(b, { priority: 'batch' });

    expect([...stage.stopped.keys()].map(({ slot }) => slot.key)).toEqual(['a@1.0.0']);
  });

  test('stays when it is through with its bytes: what is left is not lost time', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.scheduler.entered(stage.loadOf(a), 'INITIALIZING');
    stage.ask(b);

    expect(stage.stopped.size).toBe(0);
  });

  test('stays when somebody has come to wait for it', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.ask(a);
    stage.ask(b);

    expect(stage.stopped.size).toBe(0);
  });

  test('makes way alone: one place is enough for one who waits', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.scheduler.preload(a);
    stage.scheduler.preload(b);
    stage.ask(c);
    stage.ask(c);
    stage.pass(1);

    expect([...stage.stopped.keys()].map(({ slot }) => slot.key)).toEqual(['b@1.0.0']);
  });

  test('that was through before it could make way is loaded again from what is on disk', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.ask(b);

    stage.comesTooLate(a);
    expect([stage.loading, stage.ending.map(({ slot }) => slot.key)]).toEqual([['b@1.0.0'], ['a@1.0.0']]);
    stage.comes(b);
    expect(stage.loading).toEqual([]);
    stage.ends(a);
    expect(stage.loading).toEqual(['a@1.0.0']);
  });
});

describe('a request that leaves', () => {
  test('is not answered, and the load goes on', () => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a);

    stage.scheduler.leave(asked.waiter);
    expect(stage.loading).toEqual(['a@1.0.0']);
    stage.comes(a);

    expect(asked.outcome).toBe('waits');
    expect(stage.status(a)).toMatchObject({ state: 'READY', leases: 0 });
  });

  test('leaves the others to wait', () => {
    const stage = new SchedulerStage(hostSettings({ cancelUnwantedLoads: true }));
    const [first, second] = stage.askAll([a, a]);

    if (first !== undefined) stage.scheduler.leave(first.waiter);
    stage.comes(a);

    expect([first?.outcome, second?.outcome]).toEqual(['waits', 'a@1.0.0']);
  });

  test('ends the load with it where the configuration says so, and the next begins', () => {
    const stage = new SchedulerStage(hostSettings({ cancelUnwantedLoads: true }));
    const asked = stage.ask(a);
    stage.ask(b);

    stage.scheduler.leave(asked.waiter);
    expect([stage.state(a), stage.loading]).toEqual(['UNLOADED', []]);
    stage.obeys(a);

    expect(stage.loading).toEqual(['b@1.0.0']);
  });

  test('gives up its place in the queue where the configuration says so', () => {
    const stage = new SchedulerStage(hostSettings({ cancelUnwantedLoads: true }));
    const [, queued] = stage.askAll([a, b]);

    if (queued !== undefined) stage.scheduler.leave(queued.waiter);

    expect([stage.state(b), stage.scheduler.queued]).toEqual(['UNLOADED', 0]);
  });

  test('never ends a preload', () => {
    const stage = new SchedulerStage(hostSettings({ cancelUnwantedLoads: true }));
    stage.scheduler.preload(a);
    const asked = stage.ask(a);

    stage.scheduler.leave(asked.waiter);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('lets another go first that somebody still waits for', () => {
    const stage = new SchedulerStage();
    const left = stage.ask(a);
    stage.ask(b);

    stage.scheduler.leave(left.waiter);

    expect([...stage.stopped.keys()].map(({ slot }) => slot.key)).toEqual(['a@1.0.0']);
  });
});
