import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { HandMemory } from '../support/hand-memory.ts';
import { HandPermits } from '../support/hand-permits.ts';
import { type HostChanges, hostSettings } from '../support/host-settings.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { createScriptedHost, settle } from '../support/scripted-host.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const [a, b, c] = [scriptedManifest('a'), scriptedManifest('b'), scriptedManifest('c')];
const away = new StoreUnavailableError('S3 does not answer');

function createStage(changes: HostChanges = {}) {
  const permits = new HandPermits();
  return { permits, stage: new SchedulerStage(hostSettings(changes), new HandMemory(), permits) };
}

/** A stage on which `a` downloads, with a permit, for somebody. */
function withDownload(changes: HostChanges = {}) {
  const { permits, stage } = createStage(changes);
  const asked = stage.ask(a);
  permits.grant('a');
  return { permits, stage, asked, load: stage.loadOf(a) };
}

describe('a load', () => {
  test('begins when it has a permit, and holds neither memory nor a place before', () => {
    const { permits, stage } = createStage();
    const asked = stage.ask(a);

    expect([stage.begun, stage.ledger.reservedMb, permits.sought]).toEqual([0, 0, ['a']]);
    expect(stage.status(a)).toMatchObject({ state: 'QUEUED', attempts: 0, waitsForPermit: true });

    permits.grant('a');
    expect(stage.loading).toEqual(['a@1.0.0']);
    expect(stage.status(a).waitsForPermit).toBeUndefined();
    stage.comes(a);
    expect(asked.outcome).toBe('a@1.0.0');
  });

  test('needs none where none are configured', () => {
    const { permits, stage } = createStage({ loadPermits: 0 });
    stage.ask(a);

    expect([stage.loading, permits.seeks]).toEqual([['a@1.0.0'], 0]);
  });

  test('begins without one when the store of permits is away, which is told', () => {
    const { permits, stage } = createStage();
    stage.ask(a);
    permits.grant('a', 'store away');

    expect([stage.loading, stage.notices]).toEqual([['a@1.0.0'], ['unpermitted a@1.0.0']]);
  });

  test('has all of its time: what it waits for a permit does not count', () => {
    const { permits, stage } = createStage({ loadTimeoutMs: 10_000, loadStallMs: 10_000 });
    stage.ask(a);
    stage.pass(60_000);
    permits.grant('a');
    stage.pass(9_000);

    expect(stage.state(a)).toBe('DOWNLOADING');
  });

  test('that can never fit is refused at once, without asking for a permit', () => {
    const { permits, stage } = createStage();
    const asked = stage.ask(scriptedManifest('huge', '1', { peakMb: 9_000, residentMb: 9_000 }));

    expect([asked.outcome, permits.seeks]).toEqual(['CANNOT_FIT', 0]);
  });
});

describe('a permit', () => {
  test('is for the download: it is given back as soon as every file is there', () => {
    const { permits, stage, load } = withDownload();
    expect(permits.held).toEqual(['a']);

    stage.scheduler.entered(load, 'INITIALIZING');

    expect([permits.held, stage.state(a)]).toEqual([[], 'INITIALIZING']);
  });

  test.each<[string, (stage: SchedulerStage, asked: ReturnType<SchedulerStage['ask']>) => void]>([
    ['fails', (stage) => stage.fails(a, away)],
    ['takes too long', (stage) => stage.pass(300_000)],
    ['is taken back', (stage) => stage.scheduler.unload('a@1.0.0')],
    ['is wanted by nobody any more', (stage, { waiter }) => stage.scheduler.leave(waiter)],
    ['dies', (stage) => stage.crashes(stage.loadOf(a).stay, new WorkerCrashedError('it crashed'))],
    ['ends with the host', (stage) => stage.scheduler.close()],
  ])('is given back when the download %s', (_, happens) => {
    const { permits, stage, asked } = withDownload({ cancelUnwantedLoads: true, loadStallMs: 60_000 });
    happens(stage, asked);

    expect(permits.held).toEqual([]);
  });

  test.each<[string, (stage: SchedulerStage, asked: ReturnType<SchedulerStage['ask']>) => void]>([
    ['is unloaded', (stage) => stage.scheduler.unload('a@1.0.0')],
    ['is wanted by nobody any more', (stage, { waiter }) => stage.scheduler.leave(waiter)],
    ['is pushed out of the queue', (stage) => stage.ask(b)],
    ['goes with the host', (stage) => stage.scheduler.close()],
  ])('is sought no more when the model %s', (how, happens) => {
    const { permits, stage } = createStage({ cancelUnwantedLoads: true, queueLimit: 1 });
    const asked = stage.ask(a, { priority: 'batch' });
    happens(stage, asked);

    expect(permits.sought).toEqual(how.includes('pushed') ? ['b'] : []);
  });

  test('is sought on while the requests that wait for it come and go', () => {
    const { permits, stage } = createStage();
    const asked = stage.ask(a);
    stage.scheduler.leave(asked.waiter);
    stage.freeze(60_000);
    stage.ask(a);

    expect([permits.sought, permits.seeks, stage.status(a).waitsForPermit]).toEqual([['a'], 1, true]);
  });

  test('is not sought before the time of the next try, nor while something is left of the one before', () => {
    const { permits, stage } = withDownload();
    stage.fails(a, away);
    expect(permits.sought).toEqual([]);
    stage.pass(500);
    expect(permits.sought).toEqual(['a']);

    permits.grant('a');
    stage.scheduler.unload('a@1.0.0');
    stage.ask(a);
    expect([stage.state(a), permits.sought]).toEqual(['QUEUED', []]);
    stage.obeys(a);
    expect(permits.sought).toEqual(['a']);
  });

  test('that is granted when there is no room yet is given back, and sought again when there is', () => {
    const { permits, stage } = createStage({ minimumResidencyMs: 0 });
    const [large, other] = [
      scriptedManifest('large', '1', { peakMb: 600, residentMb: 600 }),
      scriptedManifest('other', '1', { peakMb: 600, residentMb: 600 }),
    ];
    const first = stage.ask(large);
    permits.grant('large');
    stage.comes(large);
    stage.release(first);
    stage.ask(other);
    // Nothing has to go for a load that may not begin.
    expect([stage.state(large), permits.sought]).toEqual(['READY', ['other']]);

    permits.grant('other');
    expect([stage.state(large), permits.held, permits.sought]).toEqual(['DRAINING', [], []]);

    stage.ends(large);
    expect(permits.sought).toEqual(['other']);
    permits.grant('other');
    expect(stage.loading).toEqual(['other@1']);
  });
});

describe('the queue', () => {
  test('asks for as many permits as there are places, and for none while there is no place', () => {
    const { permits, stage } = createStage({ loadConcurrency: 2 });
    stage.askAll([a, b, c]);
    expect(permits.sought).toEqual(['a', 'b']);

    permits.grant('b');
    permits.grant('a');
    expect([stage.loading, permits.sought]).toEqual([['b@1.0.0', 'a@1.0.0'], []]);

    stage.comes(a);
    expect(permits.sought).toEqual(['c']);
  });

  test('lets others go while one waits for its permit, which keeps its turn', () => {
    const { permits, stage } = createStage();
    stage.askAll([a, b, c]);
    expect(permits.sought).toEqual(['a']);
    stage.pass(999);
    expect(permits.sought).toEqual(['a']);
    stage.pass(1);
    expect(permits.sought).toEqual(['a', 'b']);

    permits.grant('b');
    expect([stage.loading, permits.sought]).toEqual([['b@1.0.0'], []]);

    stage.comes(b);
    expect(permits.sought).toEqual(['a']);
  });

  test('stops a download that nobody waits for only for one that has its permit', () => {
    const { permits, stage } = createStage();
    stage.scheduler.preload(a);
    permits.grant('a');
    stage.ask(b);
    expect([stage.state(a), permits.sought]).toEqual(['DOWNLOADING', ['b']]);

    permits.grant('b');
    // The place is free when the download has really ended.
    expect([stage.state(a), permits.held]).toEqual(['QUEUED', []]);
    stage.obeys(a);
    expect(permits.sought).toEqual(['b']);
    permits.grant('b');
    expect(stage.loading).toEqual(['b@1.0.0']);
  });
});

describe('a permit that is lost', () => {
  test('sends its download back to its place in the queue, where it seeks another, and counts no attempt', () => {
    const { permits, stage, asked } = withDownload();
    stage.askAll([b, c]);
    permits.lose('a');
    expect([stage.state(a), permits.sought]).toEqual(['QUEUED', []]);
    expect(stage.reasons.at(-1)).toBe('its permit to download was lost');

    stage.obeys(a);
    expect([permits.sought, stage.status(a).attempts]).toEqual([['a'], 0]);
    permits.grant('a');
    stage.comes(a);
    expect(asked.outcome).toBe('a@1.0.0');
  });
});

describe('the host', () => {
  test('lets permits look at the clock whenever it does, before anything else', async () => {
    const permits = new HandPermits();
    const { host, loader, log } = createScriptedHost({}, {}, { permits });
    const lease = host.lease(a);
    await settle();
    expect([loader.loads.length, permits.sought]).toEqual([0, ['a']]);
    host.wake();
    expect(permits.wakes).toBe(1);

    permits.grant('a', 'store away');
    await settle();
    loader.last.succeed();
    await lease;
    expect(log).toContain('warn model.unpermitted a@1.0.0 the store is away: it may load without a permit');
  });
});
