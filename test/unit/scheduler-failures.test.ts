import { describe, expect, test } from 'vitest';
import { ModelLoadFailedError } from '../../shared/host/errors.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const a = scriptedManifest('a');
const b = scriptedManifest('b');
const away = new StoreUnavailableError('S3 does not answer');
const corrupt = new FileCorruptError('model.onnx has another sha256');
const crash = new WorkerCrashedError('out of memory');

/** Fails all attempts of a series. */
function failSeries(stage: SchedulerStage, attempts = 3): void {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    stage.fails(a, away);
    if (attempt < attempts) stage.pass(60_000);
  }
}

describe('a load that failed for now', () => {
  test('is tried again after a while that is random and grows, while its waiters wait on', () => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a);

    stage.fails(a, away);
    expect(stage.status(a)).toMatchObject({
      state: 'QUEUED',
      attempts: 1,
      nextTryAt: stage.clock.wallMs + 500,
      error: { code: 'STORE_UNAVAILABLE', retryable: true },
    });
    stage.pass(499);
    expect(stage.loading).toEqual([]);
    stage.pass(1);
    expect([stage.loading, asked.outcome]).toEqual([['a@1.0.0'], 'waits']);

    stage.fails(a, away);
    stage.pass(999);
    expect(stage.loading).toEqual([]);
    stage.pass(1);
    stage.comes(a);

    expect(asked.outcome).toBe('a@1.0.0');
    expect(stage.status(a)).toMatchObject({ attempts: 0 });
    expect(stage.status(a).error).toBeUndefined();
  });

  test('does not keep others from loading meanwhile', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b]);

    stage.fails(a, away);

    expect(stage.loading).toEqual(['b@1.0.0']);
  });

  test('comes behind those of its priority that wait already', () => {
    const stage = new SchedulerStage();
    stage.chance = 0;
    stage.askAll([a, b]);

    stage.fails(a, away);

    expect(stage.loading).toEqual(['b@1.0.0']);
    stage.comes(b);
    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('is FAILED after its last attempt, and each waiter is refused once', () => {
    const stage = new SchedulerStage();
    const asked = stage.askAll([a, a]);

    failSeries(stage);

    for (const { answers, error } of asked) {
      expect(answers).toHaveLength(1);
      expect(error).toBeInstanceOf(ModelLoadFailedError);
      expect(error).toMatchObject({ model: 'a@1.0.0', retryable: true, retryAfterSeconds: 30, cause: away });
    }
    expect(stage.status(a)).toMatchObject({ state: 'FAILED', attempts: 3, nextTryAt: stage.clock.wallMs + 30_000 });
    expect(stage.begun).toBe(3);
  });

  test('is refused at once until its next try, and loads anew for who asks after it', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    failSeries(stage);

    stage.pass(20_000);
    expect(stage.ask(a).error).toMatchObject({ code: 'MODEL_LOAD_FAILED', retryAfterSeconds: 10 });
    stage.pass(9_999);
    expect(stage.ask(a).outcome).toBe('MODEL_LOAD_FAILED');
    expect(stage.begun).toBe(3);
    stage.pass(1);
    expect(stage.begun).toBe(3);
    expect(stage.ask(a).outcome).toBe('waits');

    expect(stage.begun).toBe(4);
    expect(stage.status(a).attempts).toBe(1);
  });

  test('is left alone for longer with each series, until one comes to READY', () => {
    const stage = new SchedulerStage();
    for (const seconds of [30, 60, 120, 240, 480, 480]) {
      stage.ask(a);
      failSeries(stage);
      expect(stage.status(a).nextTryAt).toBe(stage.clock.wallMs + seconds * 1_000);
      stage.pass(seconds * 1_000);
    }

    stage.serve(a);
    stage.scheduler.unload('a@1.0.0');
    stage.ends(a);
    stage.ask(a);
    failSeries(stage);

    expect(stage.status(a).nextTryAt).toBe(stage.clock.wallMs + 30_000);
  });

  test('can pass when nobody has classified it', () => {
    const stage = new SchedulerStage();
    stage.ask(a);

    stage.fails(a, new TypeError('surprise'));

    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', error: { code: 'LOAD_FAILED', retryable: true } });
  });

  test('that nobody waits for any more is tried again all the same', () => {
    const stage = new SchedulerStage();
    stage.scheduler.leave(stage.ask(a).waiter);

    stage.fails(a, away);
    stage.pass(500);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('gives its memory back', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.fails(a, away);

    expect(stage.ledger.reservedMb).toBe(0);
  });
});

describe('a load that failed for good', () => {
  test('fails its waiters once and is never tried again, however often one asks and however much time passes', () => {
    const stage = new SchedulerStage();
    const first = stage.ask(a);
    stage.fails(a, corrupt);
    stage.scheduler.preload(a);
    stage.pass(10_000_000);

    expect(first.error).toMatchObject({ code: 'MODEL_LOAD_FAILED', retryable: false, cause: corrupt });
    expect(stage.ask(a).error).toMatchObject({
      retryable: false,
      message: 'a@1.0.0 could not be loaded: model.onnx has another sha256',
    });
    expect(first.error?.retryAfterSeconds).toBeUndefined();
    expect(stage.begun).toBe(1);
    expect(stage.status(a)).toMatchObject({ state: 'FAILED', error: { code: 'FILE_CORRUPT', retryable: false } });
    expect(stage.status(a).nextTryAt).toBeUndefined();
  });

  test('is tried once more when somebody has unloaded it', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    stage.fails(a, corrupt);

    stage.scheduler.unload('a@1.0.0');
    expect(stage.status(a)).toMatchObject({ state: 'UNLOADED' });
    expect(stage.status(a).error).toBeUndefined();
    stage.ask(a);

    expect(stage.begun).toBe(2);
  });
});

describe('a worker that crashes', () => {
  test('in its load ends that attempt, and the next waits until nothing is left of it', () => {
    const stage = new SchedulerStage();
    stage.chance = 0;
    const asked = stage.ask(a);
    stage.crashes(stage.loadOf(a).stay, crash);
    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', error: { code: 'WORKER_CRASHED' } });

    stage.pass(1);
    expect(stage.loading).toEqual([]);
    stage.obeys(a);
    expect(stage.loading).toEqual(['a@1.0.0']);
    stage.comes(a);

    expect(asked.answers).toHaveLength(1);
  });

  test('just as its load ends is not taken for READY', () => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a);
    stage.crashes(stage.loadOf(a).stay, crash);
    stage.comesTooLate(a);

    expect([stage.state(a), asked.outcome]).toEqual(['QUEUED', 'waits']);
    expect(stage.ending).toHaveLength(1);
  });

  test('when READY is loaded again for who asks, once its remains are gone', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    const lost = stage.ask(a);
    stage.crashes(lost.hold.ready.stay, crash);
    expect(stage.notices).toEqual(['crashed a@1.0.0']);
    expect(stage.status(a)).toMatchObject({ state: 'UNLOADED', error: { code: 'WORKER_CRASHED' } });

    const asked = stage.ask(a);
    expect(stage.loading).toEqual([]);
    stage.ends(a);
    stage.comes(a);
    stage.release(lost);

    expect(asked.outcome).toBe('a@1.0.0');
    expect(stage.status(a)).toMatchObject({ state: 'READY', leases: 1 });
    expect(stage.ending).toEqual([]);
  });

  test('again and again is left alone for longer and longer', () => {
    const stage = new SchedulerStage();
    for (const seconds of [0, 30, 60, 120]) {
      stage.serve(a);
      stage.crashes(stage.ask(a).hold.ready.stay, crash);
      stage.ends(a);
      if (seconds === 0) continue;
      expect(stage.status(a)).toMatchObject({
        state: 'FAILED',
        nextTryAt: stage.clock.wallMs + seconds * 1_000,
        error: { code: 'WORKER_CRASHED' },
      });
      stage.pass(seconds * 1_000);
    }
  });

  test('twice, far apart, is not left alone', () => {
    const stage = new SchedulerStage();
    for (let crashes = 0; crashes < 3; crashes++) {
      stage.serve(a);
      stage.crashes(stage.ask(a).hold.ready.stay, crash);
      stage.ends(a);
      expect(stage.state(a)).toBe('UNLOADED');
      stage.pass(600_000);
    }
  });

  test('while it drains is through, its leases notwithstanding', () => {
    const stage = new SchedulerStage();
    const lost = stage.ask(a);
    stage.comes(a);
    stage.scheduler.unload('a@1.0.0');
    expect(stage.ending).toEqual([]);

    stage.crashes(lost.hold.ready.stay, crash);
    expect(stage.ending).toHaveLength(1);
    stage.release(lost);
    expect(stage.ending).toHaveLength(1);
    stage.ends(a);

    expect([stage.state(a), stage.ledger.reservedMb]).toEqual(['UNLOADED', 0]);
    expect(stage.notices).toEqual([]);
  });

  test('that has been replaced does no harm to the one in its place', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    const old = stage.scheduler.holdReady(a, undefined);
    if (old === undefined) throw new Error('it is not READY');
    stage.scheduler.release(old);
    stage.scheduler.unload('a@1.0.0');
    stage.ends(a);
    stage.serve(a);

    stage.crashes(old.ready.stay, crash);

    expect(stage.state(a)).toBe('READY');
    expect(stage.ending).toEqual([]);
  });

  test('keeps its leases to itself: they end no other worker that drains with leases of its own', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    const lost = stage.ask(a);
    stage.crashes(lost.hold.ready.stay, crash);
    stage.ends(a);
    const held = stage.ask(a);
    stage.comes(a);
    stage.scheduler.unload('a@1.0.0');

    stage.release(lost);
    expect(stage.ending).toEqual([]);
    stage.release(held);
    expect(stage.ending).toHaveLength(1);
  });

  test('in a load that was given up changes nothing', () => {
    const stage = new SchedulerStage();
    stage.ask(a);
    const { stay } = stage.loadOf(a);
    stage.scheduler.unload('a@1.0.0');

    stage.crashes(stay, crash);
    stage.obeys(a);

    expect([stage.state(a), stage.stopped.size]).toEqual(['UNLOADED', 1]);
    expect(stage.scheduler.status()[0]?.error).toBeUndefined();
  });
});

describe('a series with other settings', () => {
  test('of one attempt is FAILED with the first failure', () => {
    const stage = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    const asked = stage.ask(a);

    stage.fails(a, away);

    expect([asked.outcome, stage.state(a)]).toEqual(['MODEL_LOAD_FAILED', 'FAILED']);
  });
});
