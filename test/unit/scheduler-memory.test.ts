import { describe, expect, test } from 'vitest';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

/** Budget of a stage: 1000 MB, less 100 to keep free, less 100 of the process itself. */
const BUDGET = 800;
const model = (id: string, peakMb: number, residentMb = peakMb, version = '1') =>
  scriptedManifest(id, version, { peakMb, residentMb });
const [a, b, c] = [model('a', 400), model('b', 400), model('c', 400)];

describe('the reservation of a load', () => {
  test('is its peak, and at READY what its heap says at least', () => {
    const stage = new SchedulerStage();
    const big = model('big', 400, 300);
    stage.ask(big);
    expect(stage.status(big).memoryMb).toBe(400);

    stage.comes(big, 350);

    expect([stage.status(big).memoryMb, stage.ledger.reservedMb]).toEqual([350, 350]);
  });

  test('becomes what the process grew by when nothing else came or went', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.memory.baseMb += 70;
    stage.comes(a, 200);

    expect(stage.status(a).memoryMb).toBe(270);
  });

  test('becomes what the manifest says when another load came or went meanwhile', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const [first, second] = [model('first', 300, 250), model('second', 300, 250)];
    stage.askAll([first, second]);
    stage.memory.baseMb += 70;
    stage.comes(first, 200);
    stage.comes(second, 200);

    expect([stage.status(first).memoryMb, stage.status(second).memoryMb]).toEqual([250, 250]);
  });

  test('becomes what the manifest says when another load went on all the while', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const [first, second] = [model('first', 300, 250), model('second', 300, 250)];
    stage.askAll([first, second]);
    stage.memory.baseMb += 70;
    stage.comes(second, 200);

    expect(stage.status(second).memoryMb).toBe(250);
  });

  test('becomes what the manifest says when a worker ended meanwhile', () => {
    const stage = new SchedulerStage();
    const [first, second] = [model('first', 300), model('second', 300, 250)];
    stage.serve(first);
    stage.ask(second);
    stage.scheduler.unload('first@1');
    stage.ends(first);
    stage.comes(second, 200);

    expect(stage.status(second).memoryMb).toBe(250);
  });

  test('becomes what the manifest says while a worker is about to end', () => {
    const stage = new SchedulerStage();
    const [first, second] = [model('first', 300), model('second', 300, 250)];
    stage.serve(first);
    stage.ask(second);
    stage.scheduler.unload('first@1');
    stage.comes(second, 200);

    expect(stage.status(second).memoryMb).toBe(250);
  });

  test('becomes what the process grew by though a lost worker is still there', () => {
    const stage = new SchedulerStage();
    const [first, second] = [model('first', 300), model('second', 300, 250)];
    stage.serve(first);
    stage.scheduler.unload('first@1');
    stage.pass(10_000);
    stage.ask(second);
    stage.comes(second, 200);

    expect(stage.status(second).memoryMb).toBe(200);
  });

  test.each([
    ['before', (stage: SchedulerStage) => stage.ask(a), false],
    ['after', (stage: SchedulerStage) => stage.ask(a), true],
  ])('becomes what the manifest says when memory could not be read %s the load', (_, ask, readableBefore) => {
    const stage = new SchedulerStage(hostSettings({ memoryProtection: { enabled: false } }));
    stage.memory.isReadable = readableBefore;
    ask(stage);
    stage.memory.isReadable = !readableBefore;
    stage.comes(a, 200);

    expect(stage.status(a).memoryMb).toBe(400);
  });

  test('is given back when its worker has ended, not before', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.scheduler.unload('a@1');
    expect(stage.ledger.reservedMb).toBe(400);

    stage.ends(a);

    expect(stage.ledger.reservedMb).toBe(0);
  });
});

describe('a model that does not fit', () => {
  test('into this instance at all is refused for good, at once, and the next in the queue loads', () => {
    const stage = new SchedulerStage();
    const [huge, fits] = stage.askAll([model('huge', BUDGET + 1), a]);

    expect(huge?.error).toMatchObject({ code: 'CANNOT_FIT', retryable: false, model: 'huge@1', state: 'FAILED' });
    expect(huge?.error?.message).toBe('huge@1 needs 801 MB while it loads, this instance has 800 MB for models');
    expect(fits?.outcome).toBe('waits');
    expect(stage.loading).toEqual(['a@1']);
    expect(stage.ask(model('huge', BUDGET + 1)).error?.code).toBe('CANNOT_FIT');
  });

  test('into this instance at all does not delay the next in the queue', () => {
    const stage = new SchedulerStage();
    const first = model('first', 10);
    stage.askAll([first, model('huge', BUDGET + 1), a]);
    stage.comes(first);

    expect(stage.loading).toEqual(['a@1']);
  });

  test('and another that does not either both load when room is made for both', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const all = model('all', BUDGET);
    stage.serve(all);
    stage.scheduler.unload('all@1');
    stage.askAll([a, b]);
    expect(stage.loading).toEqual([]);

    stage.ends(all);

    expect(stage.loading).toEqual(['a@1', 'b@1']);
  });

  test('by nothing is loaded', () => {
    const stage = new SchedulerStage();
    stage.ask(model('exact', BUDGET));

    expect(stage.loading).toEqual(['exact@1']);
  });

  test('beside models in use is refused for now, with when to come back, and the next loads', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.ask(a);
    const [second, small] = stage.askAll([model('wide', 401), model('small', 10)]);

    expect(second?.error).toMatchObject({
      code: 'MEMORY_SHORT',
      retryable: true,
      retryAfterSeconds: 5,
      model: 'wide@1',
    });
    expect([stage.state(model('wide', 401)), small?.outcome]).toEqual(['UNLOADED', 'waits']);
    expect(stage.loading).toEqual(['small@1']);
  });

  test('is told when the first idle one has been READY for long enough', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.pass(15_000);
    stage.serve(b);

    expect(stage.ask(c).error?.retryAfterSeconds).toBe(45);
  });

  test('makes the least recently used idle model go, and loads when that is gone', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.pass(1);
    stage.serve(b);
    stage.pass(60_000);
    stage.release(stage.ask(a));
    const asked = stage.ask(c);
    expect(stage.ending.map(({ slot }) => slot.key)).toEqual(['b@1']);
    expect(stage.loading).toEqual([]);

    stage.ends(b);
    stage.comes(c);

    expect(asked.outcome).toBe('c@1');
  });

  test('waits for those who leave, and is not overtaken by those who need less', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.serve(b);
    const drained = stage.ask(b);
    stage.scheduler.unload('b@1');
    const [waits, small] = stage.askAll([c, model('small', 10)]);
    expect([waits?.outcome, small?.outcome, stage.loading]).toEqual(['waits', 'waits', []]);

    stage.release(drained);
    expect(stage.loading).toEqual([]);
    stage.ends(b);

    expect(stage.loading).toEqual(['c@1']);
  });

  test('has, when nothing is left beside it, what it could have had at first: the process keeps what it has freed', () => {
    const stage = new SchedulerStage(hostSettings({ minimumResidencyMs: 0 }));
    stage.serve(a);
    stage.memory.baseMb += 440;
    stage.pass(1_000);

    const asked = stage.ask(b);
    stage.ends(a);
    stage.comes(b);

    expect(asked.outcome).toBe('b@1');
  });

  test('has no more than is left beside a model that is in use, however large the process once could have been', () => {
    const stage = new SchedulerStage(hostSettings({ minimumResidencyMs: 0 }));
    stage.serve(a);
    stage.ask(a);
    stage.memory.baseMb += 440;
    stage.pass(1_000);

    expect(stage.ask(b).outcome).toBe('MEMORY_SHORT');
  });

  test('lets the next go when it is unloaded while it waits for room', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.serve(b);
    stage.ask(b);
    stage.scheduler.unload('b@1');
    stage.scheduler.unload('a@1');
    stage.ends(a);
    const wide = model('wide', 500);
    stage.askAll([wide, c]);
    expect(stage.loading).toEqual([]);

    stage.scheduler.unload('wide@1');

    expect(stage.loading).toEqual(['c@1']);
  });

  test('is not overtaken by those who need less when it has made room either', () => {
    const stage = new SchedulerStage();
    stage.serve(b);
    stage.pass(60_000);
    const first = model('first', 300);
    stage.askAll([first, c, model('small', 50)]);
    stage.comes(first);

    expect([stage.ending.map(({ slot }) => slot.key), stage.loading]).toEqual([['b@1'], []]);
  });

  test('waits for loads that will shrink to what they keep', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const swelling = model('swelling', 600, 300);
    const [, waits] = stage.askAll([swelling, a]);
    expect(waits?.outcome).toBe('waits');

    stage.comes(swelling);

    expect(stage.loading).toEqual(['a@1']);
  });

  test('does not wait for a lost worker: its memory counts, and does not come back', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.scheduler.unload('a@1');
    stage.pass(10_000);

    expect(stage.ask(model('wide', 401)).outcome).toBe('MEMORY_SHORT');
    expect(stage.ask(b).outcome).toBe('waits');
  });

  test('does not wait for loads that will shrink too little', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const [, refused] = stage.askAll([model('swelling', 600, 450), a]);

    expect(refused?.outcome).toBe('MEMORY_SHORT');
  });

  test('does not wait for a lost load to shrink', () => {
    const stage = new SchedulerStage();
    stage.ask(model('swelling', 600, 300));
    stage.scheduler.unload('swelling@1');
    const waits = stage.ask(a);
    expect(waits.outcome).toBe('waits');

    stage.pass(10_000);

    expect([stage.notices, waits.outcome]).toEqual([['lost swelling@1'], 'MEMORY_SHORT']);
  });

  test('and that nobody waits for makes nobody go; it loads when there is room', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.serve(b);
    stage.pass(60_000);
    stage.scheduler.preload(c);
    expect(stage.status(c)).toMatchObject({ state: 'QUEUED', error: { code: 'MEMORY_SHORT' } });

    stage.scheduler.unload('a@1');
    stage.ends(a);

    expect(stage.loading).toEqual(['c@1']);
  });

  test('and that is waited for in the background only makes nobody go either', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.serve(b);
    stage.pass(60_000);

    expect(stage.ask(c, { priority: 'background' }).outcome).toBe('MEMORY_SHORT');
    expect(stage.ending).toEqual([]);
  });

  test('and that nobody waits for lets others go first', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    const held = stage.ask(a);
    stage.scheduler.unload('a@1');
    stage.scheduler.preload(model('wide', 500));
    stage.scheduler.preload(b);
    expect(stage.loading).toEqual(['b@1']);

    stage.release(held);
  });

  test('stays in the queue as a preload when those who wait for it are refused', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.ask(a);
    const wide = model('wide', 500);
    stage.scheduler.preload(wide);

    expect(stage.ask(wide).outcome).toBe('MEMORY_SHORT');
    expect(stage.state(wide)).toBe('QUEUED');
  });
});

describe('models that may not be turned out', () => {
  test.each([
    ['are in use', {}, (stage: SchedulerStage) => void stage.ask(a)],
    ['have not been READY for long enough', { minimumResidencyMs: 60_001 }, () => undefined],
    ['stay by configuration', { alwaysLoadedModels: ['a'] }, () => undefined],
    ['are pinned by a request', {}, (stage: SchedulerStage) => stage.release(stage.ask(a, { keepAliveMs: -1 }))],
  ])('%s', (_, changes, prepare) => {
    const stage = new SchedulerStage(hostSettings(changes));
    stage.serve(a);
    prepare(stage);
    stage.pass(60_000);

    expect(stage.ask(model('wide', 500)).outcome).toBe('MEMORY_SHORT');
    expect(stage.state(a)).toBe('READY');
  });

  test('are not turned out needlessly', () => {
    const stage = new SchedulerStage();
    const [small, large] = [model('small', 100), model('large', 600)];
    stage.serve(small);
    stage.pass(1);
    stage.serve(large);
    stage.pass(60_000);
    stage.ask(model('wide', 700));

    expect(stage.ending.map(({ slot }) => slot.key)).toEqual(['large@1']);
  });
});

describe('a version that does not fit beside the one it replaces', () => {
  const [v1, v2] = [model('model', 500), model('model', 500, 500, '2')];

  test('makes it go as soon as that is idle, though nobody waits: requests are served until then', () => {
    const stage = new SchedulerStage();
    stage.serve(v1);
    const served = stage.ask(v2);
    expect([served.outcome, stage.state(v2)]).toEqual(['model@1', 'QUEUED']);

    stage.release(served);
    expect(stage.state(v1)).toBe('DRAINING');
    const waits = stage.ask(v2);
    stage.ends(v1);
    stage.comes(v2);

    expect(waits.outcome).toBe('model@2');
  });

  test('makes it go after drain_seconds, though it is never idle: callers wait for the new one from then on', () => {
    const stage = new SchedulerStage();
    stage.serve(v1);
    const served = stage.ask(v2);
    stage.pass(29_999);
    expect(stage.state(v1)).toBe('READY');
    stage.pass(1);
    expect(stage.state(v1)).toBe('DRAINING');

    const waits = stage.ask(v2);
    stage.release(served);
    stage.ends(v1);
    stage.comes(v2);

    expect(waits.outcome).toBe('model@2');
  });

  test('makes no other model go', () => {
    const stage = new SchedulerStage();
    stage.serve(model('small', 100));
    stage.pass(60_000);
    stage.serve(v1);
    const held = stage.ask(v1);
    stage.scheduler.preload(model('model', 250, 250, '2'));

    expect(stage.ending).toEqual([]);
    stage.release(held);
    expect(stage.ending.map(({ slot }) => slot.key)).toEqual(['model@1']);
  });
});

describe('memory that cannot be read', () => {
  test('lets nothing load; whoever waits is told at once', () => {
    const stage = new SchedulerStage();
    stage.memory.isReadable = false;

    expect(stage.ask(a).error).toMatchObject({ code: 'MEMORY_UNREADABLE', retryable: true, model: 'a@1' });
    expect(stage.state(a)).toBe('UNLOADED');
  });

  test('keeps a preload waiting until it can be read', () => {
    const stage = new SchedulerStage();
    stage.memory.isReadable = false;
    stage.scheduler.preload(a);
    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', error: { code: 'MEMORY_UNREADABLE' } });

    stage.memory.isReadable = true;
    stage.pass(1);

    expect(stage.loading).toEqual(['a@1']);
  });

  test('does not matter where protection is disabled', () => {
    const stage = new SchedulerStage(hostSettings({ memoryProtection: { enabled: false } }));
    stage.memory.isReadable = false;
    stage.ask(model('huge', 10_000));

    expect(stage.loading).toEqual(['huge@1']);
  });
});
