import { describe, expect, test } from 'vitest';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { createScriptedHost } from '../support/scripted-host.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const HOUR = 3_600_000;
const a = scriptedManifest('a', '1', { peakMb: 500, residentMb: 500 });
const b = scriptedManifest('b', '1', { peakMb: 500, residentMb: 500 });

/** A stage that serves `a`, pinned for so long. */
function withPinned(ms?: number, settings = hostSettings()) {
  const stage = new SchedulerStage(settings);
  stage.scheduler.pin('a', ms === undefined ? undefined : stage.clock.wall() + ms);
  stage.serve(a);
  return stage;
}

describe('a model that is pinned', () => {
  test('stays though nobody uses it', () => {
    const stage = withPinned();
    stage.pass(10 * HOUR);

    expect(stage.status(a)).toMatchObject({ state: 'READY', stays: true });
  });

  test('stays beyond its last lease, and beyond a keep_alive of 0', () => {
    const stage = withPinned(undefined, hostSettings({ strategy: 'on_demand' }));
    expect(stage.state(a)).toBe('READY');
    stage.release(stage.ask(a, { keepAliveMs: 0 }));

    expect(stage.state(a)).toBe('READY');
  });

  test('makes no room for another', () => {
    const stage = withPinned();
    stage.pass(60_000);
    expect(stage.ask(b).outcome).toBe('MEMORY_SHORT');
    stage.scheduler.unpin('a');
    stage.ask(b);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('stays until its time, and is then like any other', () => {
    const stage = withPinned(HOUR);
    stage.pass(HOUR - 1);
    expect(stage.status(a)).toMatchObject({ state: 'READY', stays: true });
    stage.pass(60_000);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('stays until it is unpinned, where no time was given', () => {
    const stage = withPinned();
    stage.pass(HOUR);
    stage.scheduler.unpin('a');
    expect(stage.status(a).stays).toBe(false);
    stage.pass(60_000);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('may be pinned anew, and the latest time holds', () => {
    const stage = withPinned(10 * HOUR);
    stage.scheduler.pin('a', stage.clock.wall() + 1_000);
    stage.pass(HOUR);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('stays in the version that is wanted', () => {
    const stage = withPinned();
    const next = scriptedManifest('a', '2', { peakMb: 100, residentMb: 100 });
    stage.serve(next);
    expect([stage.state(a), stage.state(next)]).toEqual(['DRAINING', 'READY']);
    stage.pass(HOUR);

    expect(stage.status(next)).toMatchObject({ state: 'READY', stays: true });
  });

  test('is unloaded by whoever says so', () => {
    const stage = withPinned();
    stage.scheduler.unload('a@1');

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('is not loaded by that', () => {
    const stage = new SchedulerStage();
    stage.scheduler.pin('a', undefined);
    stage.pass(HOUR);

    expect(stage.begun).toBe(0);
  });

  test('keeps what the configuration keeps when it is unpinned', () => {
    const stage = withPinned(undefined, hostSettings({ alwaysLoadedModels: ['a'] }));
    stage.scheduler.unpin('a');
    stage.pass(10 * HOUR);

    expect(stage.state(a)).toBe('READY');
  });
});

test('the host tells of a pin as of any change', () => {
  const { host, changes } = createScriptedHost();
  host.pin('a');
  host.unpin('a');

  expect(changes()).toBe(2);
});
