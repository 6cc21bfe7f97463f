import { describe, expect, test } from 'vitest';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const model = scriptedManifest('model');

/** A stage on which the model was loaded at start, as all are under `eager`. */
function eager(settings = hostSettings({ strategy: 'eager' })): SchedulerStage {
  const stage = new SchedulerStage(settings);
  stage.scheduler.preload(model);
  stage.comes(model);
  return stage;
}

describe('a model that was loaded at start', () => {
  test('is not loaded again at once when a request wanted it gone', () => {
    const stage = eager();

    stage.release(stage.ask(model, { keepAliveMs: 0 }));
    stage.ends(model);
    stage.pass(60_000);

    expect(stage.begun).toBe(1);
  });

  test('nor when the time is over for which a request wanted it kept', () => {
    const stage = eager();

    stage.release(stage.ask(model, { keepAliveMs: 5_000 }));
    stage.pass(5_000);
    stage.ends(model);
    stage.pass(60_000);

    expect(stage.begun).toBe(1);
  });

  test('comes back when somebody asks for it', () => {
    const stage = eager();
    stage.release(stage.ask(model, { keepAliveMs: 0 }));
    stage.ends(model);

    const asked = stage.ask(model);
    stage.comes(model);

    expect(asked.outcome).toBe('model@1.0.0');
  });

  test('stays, whatever a request says, when the configuration names it', () => {
    const stage = eager(hostSettings({ preloadModels: ['model'] }));

    stage.release(stage.ask(model, { keepAliveMs: 0 }));

    expect(stage.ending).toEqual([]);
  });
});
