import { describe, expect, test } from 'vitest';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const model = (id: string, peakMb: number) => scriptedManifest(id, '1', { peakMb, residentMb: peakMb });
const [a, b] = [model('a', 400), model('b', 400)];

describe('a process that has nearly run out of memory', () => {
  /** RSS as if the process itself had grown. */
  const swell = (stage: SchedulerStage, rssMb: number) => {
    stage.memory.baseMb += rssMb - stage.memory.rssMb;
  };

  test('ends the model with the fewest leases, one at a time', () => {
    const stage = new SchedulerStage();
    const [x, y, z] = [model('x', 100), model('y', 100), model('z', 100)];
    for (const manifest of [x, y, z]) stage.serve(manifest);
    stage.askAll([x, x, y, z, z]);
    swell(stage, 951);
    stage.pass(1_000);
    expect([stage.state(x), stage.state(y), stage.state(z)]).toEqual(['READY', 'DRAINING', 'READY']);
    expect(stage.ending).toEqual([]);

    stage.pass(1_000);

    expect([stage.state(x), stage.state(z)]).toEqual(['READY', 'READY']);
  });

  test('looks once a second, and minds nothing up to the mark', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    swell(stage, 950);
    stage.pass(1_000);
    expect(stage.state(a)).toBe('READY');
    swell(stage, 951);
    stage.pass(999);
    expect(stage.state(a)).toBe('READY');

    stage.pass(1);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('waits for whoever is on the way out already, unless that one is lost', () => {
    const stage = new SchedulerStage();
    const [x, y] = [model('x', 100), model('y', 100)];
    stage.serve(x);
    stage.serve(y);
    stage.scheduler.unload('x@1');
    swell(stage, 951);
    stage.pass(9_999);
    expect(stage.state(y)).toBe('READY');

    stage.pass(1_000);

    expect(stage.notices).toEqual(['lost x@1']);
    expect(stage.state(y)).toBe('DRAINING');
  });

  test('ends the latest load when nothing is READY, and tries it again later', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const [x, y] = [model('x', 100), model('y', 100)];
    const [first, second] = stage.askAll([x, y]);
    swell(stage, 951);
    stage.pass(1_000);

    expect([...stage.stopped].map(([{ slot }, { code }]) => [slot.key, code])).toEqual([['y@1', 'MEMORY_SHORT']]);
    expect([stage.state(x), stage.state(y)]).toEqual(['DOWNLOADING', 'QUEUED']);
    expect([first?.outcome, second?.outcome]).toEqual(['waits', 'waits']);
    stage.pass(1_000);
    expect(stage.stopped.size).toBe(1);
  });

  test('has nothing to end when nothing is there', () => {
    const stage = new SchedulerStage();
    swell(stage, 951);
    stage.pass(1_000);

    expect(stage.changes).toEqual([]);
  });

  test('lets a preload rest before it comes back, but not a request', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['a'] }));
    stage.scheduler.preload(a);
    stage.comes(a);
    swell(stage, 951);
    stage.pass(1_000);
    stage.ends(a);
    swell(stage, 100);
    stage.pass(59_999);
    expect([stage.state(a), stage.loading]).toEqual(['UNLOADED', []]);

    stage.pass(1);
    expect(stage.loading).toEqual(['a@1']);
  });

  test('and a request for what rests loads it', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['a'] }));
    stage.scheduler.preload(a);
    stage.comes(a);
    swell(stage, 951);
    stage.pass(1_000);
    swell(stage, 500);
    stage.ends(a);
    stage.pass(1_000);
    expect(stage.loading).toEqual([]);
    stage.ask(a);

    expect(stage.loading).toEqual(['a@1']);
  });

  test('ends nothing where protection is disabled', () => {
    const stage = new SchedulerStage(hostSettings({ memoryProtection: { enabled: false } }));
    stage.serve(a);
    swell(stage, 951);
    stage.pass(1_000);

    expect(stage.state(a)).toBe('READY');
  });
});

describe('what the process takes beside its models', () => {
  test('is measured again while nothing moves, and leaves models less', () => {
    const stage = new SchedulerStage();
    stage.serve(model('x', 100));
    stage.memory.baseMb = 300;
    stage.pass(999);
    expect(stage.ledger.budgetMb()).toBe(800);

    stage.pass(1);

    expect(stage.ledger.budgetMb()).toBe(600);
    expect(stage.ask(model('wide', 700)).outcome).toBe('MEMORY_SHORT');
  });

  test.each([
    ['loads', (stage: SchedulerStage) => void stage.ask(b)],
    [
      'drains',
      (stage: SchedulerStage) => {
        stage.ask(a);
        stage.scheduler.unload('a@1');
      },
    ],
    ['ends', (stage: SchedulerStage) => stage.scheduler.unload('a@1')],
    [
      'is left of a crash',
      (stage: SchedulerStage) => stage.crashes(stage.ask(a).hold.ready.stay, new WorkerCrashedError('out of memory')),
    ],
  ])('is not measured while something %s', (_, move) => {
    const stage = new SchedulerStage();
    stage.serve(a);
    move(stage);
    stage.memory.baseMb = 300;
    stage.pass(1_000);

    expect(stage.ledger.budgetMb()).toBe(800);
  });
});
