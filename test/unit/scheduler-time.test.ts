import { describe, expect, test } from 'vitest';
import { FileCorruptError } from '../../shared/repository/errors.ts';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const a = scriptedManifest('a');
const b = scriptedManifest('b');
const c = scriptedManifest('c');
const HOUR = 3_600_000;

/** Time passes with a byte every ten seconds. */
function passWithBytes(stage: SchedulerStage, seconds: number): void {
  for (let passed = 0; passed < seconds; passed += 10) {
    stage.scheduler.progressed(stage.loadOf(a), passed % 100);
    stage.pass(10_000);
  }
}

describe('a load that takes too long', () => {
  test('is stopped and tried again, and the next in the queue begins when nothing is left of it', () => {
    const stage = new SchedulerStage();
    // Loads that begin late have as much time as the first.
    stage.pass(20_000);
    stage.askAll([a, b]);
    passWithBytes(stage, 290);
    expect(stage.stopped.size).toBe(0);

    stage.scheduler.progressed(stage.loadOf(a), 99);
    stage.pass(10_000);
    expect([...stage.stopped.values()]).toMatchObject([
      { code: 'LOAD_TIMEOUT', message: 'the load took longer than 300 s', model: 'a@1.0.0', state: 'DOWNLOADING' },
    ]);
    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', error: { code: 'LOAD_TIMEOUT', retryable: true } });
    expect(stage.loading).toEqual([]);
    stage.obeys(a);

    expect(stage.loading).toEqual(['b@1.0.0']);
  });

  test('is stopped earlier when it stands still', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    passWithBytes(stage, 10);
    stage.pass(49_999);
    expect(stage.stopped.size).toBe(0);

    stage.pass(1);

    expect([...stage.stopped.values()]).toMatchObject([{ message: 'the load stood still for 60 s' }]);
  });

  test('does not stand still as long as phases follow each other', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.pass(59_999);
    stage.scheduler.entered(stage.loadOf(a), 'INITIALIZING');
    stage.pass(59_999);
    stage.scheduler.entered(stage.loadOf(a), 'WARMING');
    stage.pass(59_999);
    expect(stage.stopped.size).toBe(0);

    stage.pass(1);

    expect(stage.stopped.size).toBe(1);
  });

  test('is stopped but once', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.pass(60_000);
    stage.pass(9_999);

    expect([stage.begun, stage.stopped.size, stage.status(a).attempts]).toEqual([1, 1, 1]);
  });

  test('fails those who wait after the last attempt', () => {
    const stage = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    const asked = stage.ask(a);
    stage.pass(60_000);

    expect(asked.error).toMatchObject({ code: 'MODEL_LOAD_FAILED', retryable: true });
  });
});

describe('time in which the instance was frozen', () => {
  test('does not count against a load', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.pass(59_999);
    stage.freeze(HOUR);

    expect(stage.stopped.size).toBe(0);
  });

  test('does not count against leases of a model that drains', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.comes(a);
    stage.scheduler.unload('a@1.0.0');
    stage.freeze(HOUR);
    expect(stage.ending).toEqual([]);
    stage.pass(29_999);
    expect(stage.ending).toEqual([]);

    stage.pass(1);

    expect(stage.ending).toHaveLength(1);
  });

  test('does not count against a worker that is to end', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.scheduler.unload('a@1.0.0');
    stage.freeze(HOUR);

    expect(stage.notices).toEqual([]);
  });

  test('counts for the wait after a failure', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.fails(a, new TypeError('surprise'));
    stage.freeze(HOUR);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });
});

describe('a load that does not stop', () => {
  test('is given up after a while: the next begins, its memory counts on', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b]);
    stage.scheduler.unload('a@1.0.0');
    stage.pass(9_999);
    expect(stage.loading).toEqual([]);

    stage.pass(1);

    expect([stage.notices, stage.loading, stage.ledger.reservedMb]).toEqual([['lost a@1.0.0'], ['b@1.0.0'], 20]);
    stage.pass(10_000);
    expect(stage.notices).toHaveLength(1);
  });

  test('frees one place, also when it comes to its end after all', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b, c]);
    stage.scheduler.unload('a@1.0.0');
    stage.pass(10_000);
    stage.obeys(a);

    expect(stage.loading).toEqual(['b@1.0.0']);
    expect(stage.ledger.reservedMb).toBe(10);
    expect(stage.state(a)).toBe('UNLOADED');
  });

  test('can be loaded anew beside what is left of it, and what is left harms nothing', () => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a);
    stage.pass(60_000);
    stage.pass(10_000);
    expect(stage.loading).toEqual(['a@1.0.0']);
    stage.comesTooLate(a);
    expect(stage.state(a)).toBe('DOWNLOADING');
    stage.ends(a);
    stage.comes(a);

    expect(asked.outcome).toBe('a@1.0.0');
    expect(stage.status(a)).toMatchObject({ state: 'READY' });
    expect(stage.ledger.reservedMb).toBe(5);
  });

  test('has its time anew for the end of its worker when it was through before', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.scheduler.unload('a@1.0.0');
    stage.pass(9_000);
    stage.comesTooLate(a);
    stage.pass(9_999);
    expect(stage.notices).toEqual([]);

    stage.pass(1);

    expect(stage.notices).toEqual(['lost a@1.0.0']);
    stage.ask(b);
    stage.ask(c);
    expect(stage.loading).toEqual(['b@1.0.0']);
  });
});

describe('a worker that does not end', () => {
  test('is given up after a while: whoever waits for the model gets it from another', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.scheduler.unload('a@1.0.0');
    const asked = stage.ask(a);
    stage.pass(9_999);
    expect([stage.state(a), asked.outcome]).toEqual(['DRAINING', 'waits']);

    stage.pass(1);
    stage.comes(a);

    expect([stage.notices, asked.outcome]).toEqual([['lost a@1.0.0'], 'a@1.0.0']);
    expect(stage.ledger.reservedMb).toBe(10);
    stage.ends(a);
    expect([stage.state(a), stage.ledger.reservedMb]).toEqual(['READY', 5]);
  });
});

describe('what a load still takes', () => {
  const secondsLeft = (stage: SchedulerStage, manifest = a) => stage.status(manifest).secondsLeft;
  /** A stage that knows: 100 bytes take 20 s. */
  const experienced = () => {
    const stage = new SchedulerStage();
    stage.pass(1_000);
    stage.ask(c);
    stage.pass(20_000);
    stage.comes(c);
    return stage;
  };

  test('is unknown before anything was loaded', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b]);

    expect([secondsLeft(stage, a), secondsLeft(stage, b)]).toEqual([undefined, undefined]);
  });

  test('is told from earlier loads, and from its own pace once that is telling', () => {
    const stage = experienced();
    stage.ask(a);
    expect(secondsLeft(stage)).toBeCloseTo(20);
    stage.pass(5_000);
    expect(secondsLeft(stage)).toBeCloseTo(15);

    stage.scheduler.progressed(stage.loadOf(a), 50);
    stage.pass(5_000);

    expect(secondsLeft(stage)).toBeCloseTo((10 * 0.65) / 0.35);
  });

  test('includes the queue before it', () => {
    const stage = experienced();
    stage.askAll([a, b]);
    const d = scriptedManifest('d');
    stage.ask(d);
    stage.pass(5_000);

    expect([secondsLeft(stage, b), secondsLeft(stage, d)]).toEqual([35, 55]);
  });

  test('is shorter where loads go side by side', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.ask(c);
    stage.pass(20_000);
    stage.comes(c);
    stage.askAll([a, b]);
    const d = scriptedManifest('d');
    stage.ask(d);

    expect(secondsLeft(stage, d)).toBeCloseTo(40);
  });

  test('includes the wait after a failure where that is longer', () => {
    const stage = experienced();
    stage.chance = 1;
    stage.ask(a);
    stage.fails(a, new TypeError('surprise'));

    expect(secondsLeft(stage)).toBeCloseTo(21);
  });

  test('is the time until the next try when it has FAILED, never less than nothing', () => {
    const stage = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    stage.ask(a);
    stage.fails(a, new TypeError('surprise'));
    expect(secondsLeft(stage)).toBe(30);

    stage.pass(40_000);

    expect(secondsLeft(stage)).toBe(0);
  });

  test('is nothing to be told of a model that failed for good, is READY or was unloaded', () => {
    const stage = experienced();
    stage.ask(a);
    stage.fails(a, new FileCorruptError('never'));
    expect([secondsLeft(stage, a), secondsLeft(stage, c)]).toEqual([undefined, undefined]);
    stage.scheduler.unload('a@1.0.0');

    expect(secondsLeft(stage)).toBeUndefined();
  });

  test('of a model that drains is what it takes to load it again', () => {
    const stage = experienced();
    stage.scheduler.unload('c@1.0.0');

    expect(secondsLeft(stage, c)).toBeCloseTo(20);
  });
});
