import { describe, expect, test } from 'vitest';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const v1 = scriptedManifest('model', '1');
const v2 = scriptedManifest('model', '2');
const v3 = scriptedManifest('model', '3');
const other = scriptedManifest('other');
const corrupt = new FileCorruptError('model.onnx has another sha256');
const away = new StoreUnavailableError('S3 does not answer');

/** A stage on which version 1 is READY. */
function withFirst(settings = hostSettings()): SchedulerStage {
  const stage = new SchedulerStage(settings);
  stage.serve(v1);
  return stage;
}

describe('another version of a model that is READY', () => {
  test('loads beside it, and requests for the new one are served by the old one meanwhile', () => {
    const stage = withFirst();

    expect(stage.ask(v2).outcome).toBe('model@1');
    expect(stage.scheduler.holdReady(v2, undefined)).toBeUndefined();
    expect(stage.loading).toEqual(['model@2']);
  });

  test('is not in the way of a load that somebody waits for', () => {
    const stage = withFirst();
    stage.ask(v2);
    stage.ask(other);

    expect([...stage.stopped.keys()].map(({ slot }) => slot.key)).toEqual(['model@2']);
  });

  test('takes over when it is READY; the old one drains, and ends with its last lease', () => {
    const stage = withFirst();
    const old = stage.ask(v1);
    stage.ask(v2);
    stage.comes(v2);

    expect([stage.state(v1), stage.state(v2), stage.ask(v2).outcome]).toEqual(['DRAINING', 'READY', 'model@2']);
    expect(stage.ending).toEqual([]);
    stage.release(old);
    expect(stage.ending).toEqual([]);
  });

  test('ends the old one when nobody uses it', () => {
    const stage = withFirst();
    stage.release(stage.ask(v2));
    stage.comes(v2);

    expect(stage.ending.map(({ slot }) => slot.key)).toEqual(['model@1']);
  });

  test('that fails for good leaves the old one to serve', () => {
    const stage = withFirst();
    stage.ask(v2);
    stage.fails(v2, corrupt);

    expect(stage.ask(v2).outcome).toBe('model@1');
    expect(stage.begun).toBe(2);
  });

  test('is waited for by whoever wants to know when it is READY', () => {
    const stage = withFirst();
    const asked = stage.ask(v2, { wantsLease: false });
    expect(asked.outcome).toBe('waits');

    stage.comes(v2);

    expect(asked.outcome).toBe('model@2');
  });

  test('of another model concerns nobody', () => {
    const stage = withFirst();
    stage.serve(scriptedManifest('other', '2'));

    expect(stage.state(v1)).toBe('READY');
  });

  test('is loaded at start in the place of the one that was', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['model'] }));
    stage.scheduler.preload(v1);
    stage.comes(v1);
    expect(stage.status(v1).stays).toBe(true);
    stage.release(stage.ask(v2));
    stage.comes(v2);
    expect([stage.status(v1).stays, stage.status(v2).stays]).toEqual([false, true]);
    stage.ends(v1);
    stage.pass(1);

    expect([stage.state(v1), stage.loading]).toEqual(['UNLOADED', []]);
    stage.crashes(stage.ask(v2).hold.ready.stay, new WorkerCrashedError('out of memory'));
    stage.ends(v2);
    expect(stage.loading).toEqual(['model@2']);
  });
});

describe('another version of a model that is on its way', () => {
  test('ends that load when nobody waits for it', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(v1);
    stage.scheduler.preload(v2);
    expect([stage.state(v1), stage.loading]).toEqual(['UNLOADED', []]);

    stage.obeys(v1);

    expect(stage.loading).toEqual(['model@2']);
  });

  test('lets it go on for those who wait for it; they are served by it, and so are those who want a lease on the new one', () => {
    const stage = new SchedulerStage();
    const [first] = stage.askAll([v1]);
    const [second] = stage.askAll([v2]);
    const looking = stage.ask(v2, { wantsLease: false });
    stage.comes(v1);
    expect([first?.outcome, second?.outcome, looking.outcome]).toEqual(['model@1', 'model@1', 'waits']);
    expect(stage.loading).toEqual(['model@2']);

    stage.comes(v2);

    expect([stage.state(v1), looking.outcome]).toEqual(['DRAINING', 'model@2']);
  });

  test('serves those who wait for the one it replaces, if it is the first to be READY, and ends that load', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const [first, second] = stage.askAll([v1, v2]);
    stage.comes(v2);

    expect([first?.outcome, second?.outcome]).toEqual(['model@2', 'model@2']);
    expect([stage.state(v1), [...stage.stopped.keys()].map(({ slot }) => slot.key)]).toEqual(['UNLOADED', ['model@1']]);
  });

  test('is not replaced by the old one that comes to READY after it: that one goes at once', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.serve(v1);
    stage.ask(v2, { wantsLease: false });
    stage.pass(10_000);
    const back = stage.ask(v1);
    expect(back.outcome).toBe('model@1');
    stage.comes(v2);

    expect([stage.state(v1), stage.state(v2)]).toEqual(['READY', 'DRAINING']);
  });

  test('serves those who wait for one that comes to READY after it, and that one goes', () => {
    const stage = withFirst(hostSettings({ loadConcurrency: 2 }));
    const second = stage.ask(v2, { wantsLease: false });
    stage.pass(10_000);
    stage.ask(v1);
    stage.comes(v2);
    expect([stage.state(v1), second.outcome]).toEqual(['READY', 'model@1']);
    expect(stage.ending.map(({ slot }) => slot.key)).toEqual(['model@2']);
  });

  test('is not tried again when it fails and yet another is wanted', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    const first = stage.ask(v1);
    stage.ask(v2);
    stage.scheduler.leave(first.waiter);
    stage.fails(v1, away);

    expect(stage.state(v1)).toBe('UNLOADED');
    stage.pass(30_000);
    expect(stage.loading).toEqual(['model@2']);
  });

  test('is tried again for those who wait for it, though another is wanted', () => {
    const stage = new SchedulerStage(hostSettings({ loadConcurrency: 2 }));
    stage.askAll([v1, v2]);
    stage.fails(v1, away);

    expect(stage.state(v1)).toBe('QUEUED');
  });
});

describe('a request for the version before', () => {
  test('that began before the change does not undo it', () => {
    const stage = withFirst();
    stage.ask(v2);
    stage.comes(v2);
    stage.pass(9_999);

    expect(stage.ask(v1).outcome).toBe('model@2');
  });

  test('that began before the change does not undo it when the old one is gone', () => {
    const stage = withFirst();
    stage.release(stage.ask(v2));
    stage.comes(v2);
    stage.ends(v1);
    stage.pass(9_999);

    expect([stage.ask(v1).outcome, stage.loading]).toEqual(['model@2', []]);
  });

  test('joins the load of the new one while neither is READY', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(v1);
    stage.ask(v2);
    stage.obeys(v1);
    const late = stage.ask(v1);
    stage.comes(v2);

    expect(late.outcome).toBe('model@2');
  });

  test('ten seconds later is a change back', () => {
    const stage = withFirst();
    stage.release(stage.ask(v2));
    stage.comes(v2);
    stage.ends(v1);
    stage.pass(10_000);

    expect(stage.ask(v1).outcome).toBe('model@2');
    expect(stage.loading).toEqual(['model@1']);
    stage.comes(v1);
    expect([stage.state(v1), stage.state(v2)]).toEqual(['READY', 'DRAINING']);
  });

  test('counts from its own replacement, whatever came after it', () => {
    const stage = withFirst();
    stage.ask(v2);
    stage.pass(6_000);
    stage.ask(v3);
    stage.pass(6_000);
    stage.ask(v1);

    expect(stage.scheduler.holdReady(v1, undefined)).toBeDefined();
  });
});

describe('a replaced version', () => {
  test('is forgotten when nothing of it is left and nobody can ask for it by mistake', () => {
    const stage = withFirst();
    stage.release(stage.ask(v2));
    stage.comes(v2);
    stage.freeze(10_000);
    expect(stage.state(v1)).toBe('DRAINING');

    stage.ends(v1);
    stage.pass(1);

    expect(stage.scheduler.status().map(({ version }) => version)).toEqual(['2']);
  });

  test('that failed is forgotten too, and what is wanted is not', () => {
    const stage = new SchedulerStage();
    stage.ask(v1);
    stage.fails(v1, corrupt);
    stage.ask(v2);
    stage.fails(v2, corrupt);
    stage.pass(9_999);
    expect(stage.state(v1)).toBe('FAILED');
    stage.pass(1);

    expect(stage.scheduler.status().map(({ version }) => version)).toEqual(['2']);
  });

  test('is remembered while its worker is still there', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(v1);
    stage.scheduler.preload(v2);
    stage.freeze(10_000);
    expect(stage.state(v1)).toBe('UNLOADED');

    stage.obeys(v1);
    stage.pass(1);

    expect(stage.state(v1)).toBeUndefined();
  });
});
