import { describe, expect, test } from 'vitest';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const [a, b, c] = [scriptedManifest('a'), scriptedManifest('b'), scriptedManifest('c')];
const MINUTE = 60_000;

const states = (stage: SchedulerStage) => [a, b, c].map((manifest) => stage.state(manifest));

/** A stage on which these are READY, each used a second after the one before. */
function serving(stage: SchedulerStage, ...manifests: (typeof a)[]): SchedulerStage {
  for (const manifest of manifests) {
    stage.serve(manifest);
    stage.pass(1_000);
  }
  return stage;
}

describe('a sweep', () => {
  test('unloads what nobody has used for so long, least recently used first, so many at a time', () => {
    const stage = serving(new SchedulerStage(), a, b, c);
    stage.release(stage.ask(a));
    stage.pass(30 * MINUTE);
    expect(states(stage)).toEqual(['READY', 'DRAINING', 'DRAINING']);

    stage.ends(b);
    stage.ends(c);
    stage.pass(MINUTE - 1);
    expect(stage.state(a)).toBe('READY');
    stage.pass(1);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('leaves what was used since, is in use, or stays', () => {
    const stage = serving(new SchedulerStage(hostSettings({ alwaysLoadedModels: ['c'] })), a, b, c);
    stage.ask(b);
    stage.pass(30 * MINUTE - 10_000);
    stage.release(stage.ask(a));
    stage.pass(10 * MINUTE);

    expect(states(stage)).toEqual(['READY', 'READY', 'READY']);
  });

  test('counts from the end of the last lease', () => {
    const stage = new SchedulerStage();
    const held = stage.ask(a);
    stage.comes(a);
    stage.pass(10 * MINUTE);
    stage.release(held);
    expect(stage.status(a)).toMatchObject({ lastUsedAt: stage.clock.wallMs });
    stage.pass(30 * MINUTE - 1);
    expect(stage.state(a)).toBe('READY');
    stage.pass(MINUTE);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('counts from the last who wanted to know that the model is READY', () => {
    const stage = serving(new SchedulerStage(), a);
    stage.pass(10 * MINUTE);
    stage.ask(a, { wantsLease: false });
    expect(stage.status(a)).toMatchObject({ lastUsedAt: stage.clock.wallMs });
    stage.pass(30 * MINUTE - 1);

    expect(stage.state(a)).toBe('READY');
  });

  test('does not begin before its time, nor twice in it', () => {
    const stage = serving(new SchedulerStage(hostSettings({ idleUnloadMs: 1_000 })), a);
    stage.pass(MINUTE - 1_001);
    expect(stage.state(a)).toBe('READY');

    stage.pass(1);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('comes late but comes after a freeze', () => {
    const stage = serving(new SchedulerStage(), a);
    stage.freeze(31 * MINUTE);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('unloads nothing where everything is to be loaded at start', () => {
    const stage = serving(new SchedulerStage(hostSettings({ strategy: 'eager' })), a);
    stage.pass(100 * MINUTE);

    expect(stage.state(a)).toBe('READY');
  });

  test('leaves a model to its own keep_alive', () => {
    const stage = serving(new SchedulerStage(), a);
    stage.release(stage.ask(a, { keepAliveMs: 60 * MINUTE }));
    stage.pass(45 * MINUTE);

    expect(stage.state(a)).toBe('READY');
  });
});

describe('on_demand', () => {
  const onDemand = () => new SchedulerStage(hostSettings({ strategy: 'on_demand', alwaysLoadedModels: ['c'] }));

  test('ends a model with its last lease, not before', () => {
    const stage = onDemand();
    const [first, second] = stage.askAll([a, a]);
    stage.comes(a);
    if (first !== undefined) stage.release(first);
    expect(stage.state(a)).toBe('READY');
    if (second !== undefined) stage.release(second);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('keeps what stays', () => {
    const stage = onDemand();
    stage.serve(c);

    expect(stage.state(c)).toBe('READY');
  });

  test('keeps what a request wants kept', () => {
    const stage = onDemand();
    const asked = stage.ask(a, { keepAliveMs: MINUTE });
    stage.comes(a);
    stage.release(asked);

    expect(stage.state(a)).toBe('READY');
  });

  test('keeps for a while what was loaded for a request that had gone', () => {
    const stage = onDemand();
    stage.scheduler.leave(stage.ask(a).waiter);
    stage.pass(30_000);
    stage.comes(a);
    stage.pass(30_000);
    expect(stage.state(a)).toBe('READY');
    stage.pass(MINUTE);

    expect(stage.state(a)).toBe('DRAINING');
  });
});

describe('keep_alive', () => {
  test.each([
    ['of 0 ends the model with its last lease', 0, 0, 'DRAINING'],
    ['of a time keeps it until then', MINUTE, MINUTE - 1, 'READY'],
    ['of a time ends it afterwards', MINUTE, MINUTE, 'DRAINING'],
    ['that is negative keeps it', -1, 100 * MINUTE, 'READY'],
    ['that nobody has said leaves it to the configuration', undefined, 29 * MINUTE, 'READY'],
  ])('%s', (_, keepAliveMs, ms, expected) => {
    const stage = new SchedulerStage();
    const asked = stage.ask(a, { keepAliveMs });
    stage.comes(a);
    stage.release(asked);
    if (ms > 0) stage.pass(ms);

    expect(stage.state(a)).toBe(expected);
  });

  test('of 0 waits for the leases of others', () => {
    const stage = serving(new SchedulerStage(), a);
    const held = stage.ask(a);
    stage.release(stage.ask(a, { keepAliveMs: 0 }));
    expect(stage.state(a)).toBe('READY');
    stage.release(held);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('is what the last request said that said something', () => {
    const stage = serving(new SchedulerStage(), a);
    const hold = stage.scheduler.holdReady(a, 0);
    stage.release(stage.ask(a, { keepAliveMs: -1 }));
    stage.release(stage.ask(a));
    if (hold !== undefined) stage.scheduler.release(hold);
    stage.pass(100 * MINUTE);

    expect(stage.state(a)).toBe('READY');
  });

  test('ends with the model', () => {
    const stage = serving(new SchedulerStage(), a);
    stage.release(stage.ask(a, { keepAliveMs: -1 }));
    stage.scheduler.unload('a@1.0.0');
    stage.ends(a);
    stage.serve(a);
    stage.pass(30 * MINUTE);

    expect(stage.state(a)).toBe('DRAINING');
  });

  test('does not end what stays', () => {
    const stage = new SchedulerStage(hostSettings({ alwaysLoadedModels: ['a', 'b'] }));
    for (const [manifest, keepAliveMs] of [
      [a, 0],
      [b, 1_000],
    ] as const) {
      const asked = stage.ask(manifest, { keepAliveMs });
      stage.comes(manifest);
      stage.release(asked);
    }
    stage.pass(MINUTE);

    expect([stage.state(a), stage.state(b)]).toEqual(['READY', 'READY']);
  });

  test.each([0, 1_000])('of %i lets a model go that was loaded at start, until somebody asks for it', (keepAliveMs) => {
    const stage = new SchedulerStage(hostSettings({ strategy: 'eager' }));
    stage.scheduler.preload(a);
    stage.comes(a);
    stage.release(stage.ask(a, { keepAliveMs }));
    stage.pass(1_000);
    stage.ends(a);
    stage.pass(1_000);

    expect([stage.state(a), stage.loading]).toEqual(['UNLOADED', []]);
    stage.ask(a);
    expect(stage.loading).toEqual(['a@1.0.0']);
  });
});

describe('unloading by hand', () => {
  test('of a READY model waits for its leases, and refuses nobody: who asks meanwhile gets it afterwards', () => {
    const stage = serving(new SchedulerStage(), a);
    const held = stage.ask(a);
    stage.scheduler.unload('a@1.0.0');
    const waits = stage.ask(a);
    expect([stage.state(a), waits.outcome, stage.scheduler.holdReady(a, undefined)]).toEqual([
      'DRAINING',
      'waits',
      undefined,
    ]);

    stage.release(held);
    stage.ends(a);
    stage.comes(a);

    expect(waits.outcome).toBe('a@1.0.0');
  });

  test('again, while it drains, refuses those who have come meanwhile, and ends it but once', () => {
    const stage = serving(new SchedulerStage(), a);
    stage.scheduler.unload('a@1.0.0');
    const waits = stage.ask(a);
    stage.scheduler.unload('a@1.0.0');

    expect(waits.error).toMatchObject({ code: 'MODEL_DRAINING', retryable: true, model: 'a@1.0.0' });
    expect([stage.state(a), stage.ending.length]).toEqual(['DRAINING', 1]);
    stage.ends(a);
    expect([stage.state(a), stage.loading]).toEqual(['UNLOADED', []]);
  });

  test('of a model that waits or loads takes it back and refuses its waiters', () => {
    const stage = new SchedulerStage();
    const [first, second] = stage.askAll([a, b]);
    stage.scheduler.unload('b@1.0.0');
    stage.scheduler.unload('a@1.0.0');

    expect([first?.outcome, second?.outcome]).toEqual(['MODEL_DRAINING', 'MODEL_DRAINING']);
    expect([...stage.stopped.values()].map(({ message }) => message)).toEqual(['a@1.0.0: it was to be unloaded']);
    stage.obeys(a);
    expect([states(stage), stage.begun]).toEqual([['UNLOADED', 'UNLOADED', undefined], 1]);
  });

  test('lets the next in the queue begin', () => {
    const stage = new SchedulerStage();
    stage.askAll([a, b]);
    stage.scheduler.unload('a@1.0.0');
    stage.obeys(a);

    expect(stage.loading).toEqual(['b@1.0.0']);
  });

  test('of a model that was loaded at start is not undone', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['a'] }));
    stage.scheduler.preload(a);
    stage.comes(a);
    stage.scheduler.unload('a@1.0.0');
    stage.ends(a);
    stage.pass(MINUTE);

    expect([stage.state(a), stage.loading]).toEqual(['UNLOADED', []]);
  });

  test('of nothing does nothing', () => {
    const stage = new SchedulerStage();
    stage.scheduler.unload('nobody@1');

    expect(stage.scheduler.status()).toEqual([]);
  });
});

describe('a model that is loaded at start', () => {
  test('comes back when its worker has crashed, once its remains are gone', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['a'] }));
    stage.scheduler.preload(a);
    stage.comes(a);
    stage.crashes(stage.ask(a).hold.ready.stay, new WorkerCrashedError('out of memory'));
    stage.ends(a);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('is tried again by itself when its time has come', () => {
    const stage = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    stage.scheduler.preload(a);
    stage.fails(a, new TypeError('surprise'));
    stage.pass(29_999);
    expect(stage.state(a)).toBe('FAILED');

    stage.pass(1);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('comes back when it had to make room', () => {
    const stage = new SchedulerStage(hostSettings({ strategy: 'eager' }));
    const large = scriptedManifest('large', '1', { peakMb: 800, residentMb: 400 });
    stage.scheduler.preload(a);
    stage.comes(a);
    stage.pass(MINUTE);
    stage.ask(large);
    stage.ends(a);
    expect([stage.state(a), stage.loading]).toEqual(['QUEUED', ['large@1']]);
    stage.comes(large);

    expect(stage.loading).toEqual(['a@1.0.0']);
  });

  test('is loaded but once', () => {
    const stage = new SchedulerStage();
    stage.scheduler.preload(a);
    stage.scheduler.preload(a);
    stage.comes(a);
    stage.scheduler.preload(a);

    expect([stage.begun, stage.state(a)]).toEqual([1, 'READY']);
  });
});

describe('closing', () => {
  test('drains, stops and takes back everything, and lets nothing in or back', () => {
    const stage = new SchedulerStage(hostSettings({ preloadModels: ['b'] }));
    const held = stage.ask(a);
    stage.comes(a);
    stage.scheduler.preload(b);
    const waits = stage.ask(c);

    stage.scheduler.close();
    expect(states(stage)).toEqual(['DRAINING', 'UNLOADED', 'UNLOADED']);
    expect([waits.outcome, stage.ask(a).outcome]).toEqual(['MODEL_DRAINING', 'MODEL_DRAINING']);
    stage.scheduler.preload(b);
    stage.release(held);
    stage.ends(a);
    stage.obeys(b);
    stage.pass(MINUTE);

    expect([states(stage), stage.loading]).toEqual([['UNLOADED', 'UNLOADED', 'UNLOADED'], []]);
    expect(stage.scheduler.isMoving()).toBe(false);
  });

  test('makes what failed forget it', () => {
    const stage = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    stage.ask(a);
    stage.fails(a, new TypeError('surprise'));
    stage.scheduler.close();

    expect(stage.state(a)).toBe('UNLOADED');
  });
});

describe('something moves', () => {
  test('no more when nobody waits for an end any more: the process can be measured again', () => {
    const stage = new SchedulerStage();
    stage.serve(a);
    stage.scheduler.unload('a@1.0.0');
    stage.pass(10_000);
    expect(stage.scheduler.isMoving()).toBe(false);

    stage.memory.baseMb = 300;
    stage.pass(1_000);

    expect(stage.ledger.budgetMb()).toBe(600);
  });

  test('while a load or an end is on its way, or a model drains', () => {
    const stage = new SchedulerStage();
    expect(stage.scheduler.isMoving()).toBe(false);
    const asked = stage.ask(a);
    expect(stage.scheduler.isMoving()).toBe(true);
    stage.comes(a);
    expect(stage.scheduler.isMoving()).toBe(false);
    stage.scheduler.unload('a@1.0.0');
    expect(stage.scheduler.isMoving()).toBe(true);
    stage.release(asked);
    expect(stage.scheduler.isMoving()).toBe(true);
    stage.ends(a);

    expect(stage.scheduler.isMoving()).toBe(false);
  });
});
