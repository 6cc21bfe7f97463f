import { describe, expect, test } from 'vitest';
import { ModelDrainingError, ModelLoadFailedError, ModelLoadingError } from '../../shared/host/errors.ts';
import type { Lease } from '../../shared/host/model-host.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { HostChanges } from '../support/host-settings.ts';
import { createScriptedHost, isSettled, settle } from '../support/scripted-host.ts';
import { type ScriptedLoaderOptions, scriptedManifest } from '../support/scripted-loader.ts';

const model = scriptedManifest('model');
const next = scriptedManifest('model', '2.0.0');
const other = scriptedManifest('other');
const corrupt = new FileCorruptError('model.onnx has another sha256');
const away = new StoreUnavailableError('S3 does not answer');
const crash = new WorkerCrashedError('out of memory');

function createHost(changes: HostChanges = {}, options: ScriptedLoaderOptions = {}) {
  const scripted = createScriptedHost(changes, options);
  const { host, loader } = scripted;
  return {
    ...scripted,
    /** A lease on a model that loads at once. */
    async leased(manifest = model): Promise<Lease> {
      const lease = host.lease(manifest);
      await settle();
      if (loader.loads.length > 0 && !loader.last.settled) loader.last.succeed();
      return lease;
    },
  };
}

const nothing = { task: 'language-detection', texts: [''] } as const;

/** The number of the worker that a lease holds. */
async function workerOf(lease: Lease): Promise<number | undefined> {
  const { output } = await lease.run(nothing);
  return output.detections[0]?.[0]?.confidence;
}

/** A promise that somebody settles by hand. */
function byHand() {
  let resolve = () => {};
  const promise = new Promise<void>((settled) => {
    resolve = settled;
  });
  return { promise, resolve: () => resolve() };
}

describe('a lease', () => {
  test('is given to all who ask while the model loads, which it does once', async () => {
    const { host, loader } = createHost();
    const waiting = [host.lease(model), host.lease(model), host.lease(model)];
    await settle();
    loader.last.succeed();

    const leases = await Promise.all(waiting);

    expect(loader.loads).toHaveLength(1);
    expect(await Promise.all(leases.map(workerOf))).toEqual([0, 0, 0]);
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 3 });
    expect([host.isReady('model'), host.isReady('other')]).toEqual([true, false]);
  });

  test('of a READY model loads nothing', async () => {
    const { host, loader, leased } = createHost();
    (await leased()).release();

    expect((await host.lease(model)).manifest).toBe(model);
    expect(loader.loads).toHaveLength(1);
  });

  test('counts once however often it is released', async () => {
    const { host, leased } = createHost();
    const first = await leased();
    await host.lease(model);

    first.release();
    first.release();

    expect(host.status()[0]).toMatchObject({ leases: 1 });
  });

  test('passes its caller’s signal to the worker', async () => {
    const lease = await createHost().leased();
    const signal = AbortSignal.abort(new Error('gone'));

    await expect(lease.run(nothing, { signal })).rejects.toThrow('gone');
  });

  test('tells what the run took in its thread', async () => {
    const lease = await createHost().leased();

    expect((await lease.run(nothing)).computeMs).toBe(1);
  });

  test('runs several callers’ inputs together, each with its own signal and failure', async () => {
    const { host, loader, leased, pass } = createHost();
    const lease = await leased();
    const signal = AbortSignal.abort(new Error('gone'));
    const { results, ended } = lease.runBatch([{ input: nothing }, { input: nothing, signal }]);
    expect((await results[0])?.output.detections).toHaveLength(1);
    await expect(results[1]).rejects.toThrow('gone');
    expect(await ended).toBe(1);

    const [worker] = loader.workers;
    if (worker !== undefined) worker.crashed = true;
    void host.unload('model@1.0.0');
    pass(30_000);

    for (const result of lease.runBatch([{ input: nothing }, { input: nothing }]).results) {
      await expect(result).rejects.toMatchObject({ code: 'MODEL_DRAINING', state: 'DRAINING' });
    }
  });

  test('says that the worker crashed when it did, and that it was unloaded when that was so', async () => {
    const { host, loader, leased, pass } = createHost();
    const lost = await leased();
    const [worker] = loader.workers;
    if (worker !== undefined) worker.crashed = true;
    await expect(lost.run(nothing)).rejects.toThrow(WorkerCrashedError);

    void host.unload('model@1.0.0');
    pass(30_000);

    await expect(lost.run(nothing)).rejects.toMatchObject({ code: 'MODEL_DRAINING', state: 'DRAINING' });
  });

  test('passes on every other error of the worker', async () => {
    const { host, leased } = createHost();
    const lease = await leased();
    void host.unload('model@1.0.0');

    await expect(lease.run(nothing, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
  });
});

describe('a caller who stops waiting', () => {
  test('gets the signal’s reason, and the load goes on for the others', async () => {
    const { host, loader } = createHost();
    const controller = new AbortController();
    const impatient = host.lease(model, { signal: controller.signal });
    const patient = host.lease(model);
    await settle();

    controller.abort(new Error('no time left'));

    await expect(impatient).rejects.toThrow('no time left');
    expect(loader.last.signal.aborted).toBe(false);
    loader.last.succeed();
    await patient;
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 1 });
  });

  test('starts no load when the signal came first', async () => {
    const { host, loader } = createHost();
    const signal = AbortSignal.abort(new Error('late'));

    await expect(host.lease(model, { signal })).rejects.toThrow('late');
    await expect(host.ensureReady(model, { signal })).rejects.toThrow('late');
    expect(loader.loads).toHaveLength(0);
  });

  test('holds nothing when the load ends in the same moment', async () => {
    const { host, loader } = createHost();
    const controller = new AbortController();
    const waiting = host.lease(model, { signal: controller.signal });
    await settle();

    // The scheduler grants in a microtask of this, and the caller's own is behind it.
    loader.last.succeed();
    await Promise.resolve();
    controller.abort(new Error('too late'));

    await expect(waiting).rejects.toThrow('too late');
    await settle();
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 0 });
  });

  test('takes its priority with it', async () => {
    const { host, loader } = createHost();
    const refusal = expect(host.lease(other, { priority: 'background' })).resolves.toBeDefined();
    await settle();
    const waits = host.lease(model, { priority: 'interactive' });
    await settle();

    expect(loader.loads.map(({ key, signal }) => [key, signal.aborted])).toEqual([
      ['other@1.0.0', true],
      ['model@1.0.0', false],
    ]);
    loader.last.succeed();
    await waits;
    await settle();
    loader.last.succeed();
    await refusal;
  });
});

describe('a failure', () => {
  test('that can pass is tried again while the callers wait on; after the last they are told, with the cause', async () => {
    const { host, loader, pass, stateOf } = createHost();
    const failures = Promise.allSettled([host.lease(model), host.lease(model)]);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await settle();
      expect(loader.loads).toHaveLength(attempt);
      loader.last.fail(away);
      await settle();
      if (attempt < 3) pass(2_000);
    }

    for (const failure of await failures) {
      expect(failure).toMatchObject({ reason: { model: 'model@1.0.0', retryable: true, cause: away } });
      expect((failure as PromiseRejectedResult).reason).toBeInstanceOf(ModelLoadFailedError);
    }
    expect(stateOf('model@1.0.0')).toBe('FAILED');
  });

  test('for good is told at once, and written down as an error', async () => {
    const { host, loader, log } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.fail(corrupt);

    await expect(waiting).rejects.toMatchObject({ retryable: false, cause: corrupt });
    expect(log.at(-1)).toBe('error model.state model@1.0.0 FAILED');
  });

  test('by a crash in the load stops that load and is tried again', async () => {
    const { loader, host, pass } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.observer.onCrash(crash);
    await settle();
    expect(loader.last.signal.reason).toBe(crash);
    pass(500);
    await settle();
    loader.last.succeed();

    expect(await workerOf(await waiting)).toBe(0);
  });

  test('by a crash afterwards fails its leases, and the next lease is on a new worker', async () => {
    const { host, loader, leased, log } = createHost();
    const lost = await leased();
    const [worker] = loader.workers;
    if (worker !== undefined) worker.crashed = true;
    loader.last.observer.onCrash(crash);
    const waiting = host.lease(model);
    await settle();
    loader.last.succeed();

    expect(await workerOf(await waiting)).toBe(1);
    await expect(workerOf(lost)).rejects.toThrow(WorkerCrashedError);
    expect(worker?.endings).toBe(1);
    expect(log).toContain('error model.crashed model@1.0.0 out of memory');
  });
});

describe('what a load tells', () => {
  test('of its time is told by what came by itself: nobody is called back while bytes of an earlier attempt stand for speed', async () => {
    const { host, loader, pass } = createHost();
    void host.lease(model);
    await settle();
    pass(1_000);
    loader.last.observer.onDownloaded({ bytesDone: 50, bytesResumed: 50, bytesTotal: 100 });
    expect(host.status()[0]?.secondsLeft).toBeUndefined();
    loader.last.observer.onDownloaded({ bytesDone: 70, bytesResumed: 50, bytesTotal: 100 });

    expect(host.status()[0]?.secondsLeft).toBeCloseTo(0.51 / 0.14);
  });

  test('is seen in the status, in the log and by whoever is told of changes', async () => {
    const { host, loader, log, changes } = createHost();
    const waiting = host.lease(model);
    await settle();
    const { observer } = loader.last;

    expect(host.status()[0]).toMatchObject({ state: 'DOWNLOADING', progress: 0, bytesTotal: 100, startedAt: 1_000 });
    observer.onDownloaded({ bytesDone: 50, bytesResumed: 20, bytesTotal: 100 });
    expect(host.status()[0]).toMatchObject({ state: 'DOWNLOADING', progress: 0.35, bytesLoaded: 50 });
    observer.onInitializing();
    observer.onWarming();
    expect(host.status()[0]).toMatchObject({ state: 'WARMING' });
    loader.last.succeed();
    await waiting;

    expect(log).toEqual(
      ['QUEUED', 'DOWNLOADING', 'INITIALIZING', 'WARMING', 'READY'].map((s) => `info model.state model@1.0.0 ${s}`),
    );
    expect(changes()).toBe(5);
  });

  test('is in the report with the queue and the memory', async () => {
    const { host } = createHost();
    void host.lease(model).catch(() => undefined);
    void host.lease(other).catch(() => undefined);
    await settle();

    expect(host.report()).toMatchObject({
      strategy: 'lazy',
      models: [{ id: 'model' }, { id: 'other' }],
      queue: { size: 1, limit: 16, loading: ['model@1.0.0'] },
      memory: { protected: true, limitMb: 1_000, budgetMb: 800, rssMb: 100, reservedMb: 10 },
    });
  });
});

describe('ensureReady', () => {
  test('loads the model and holds no lease', async () => {
    const { host, loader } = createHost();
    const ready = host.ensureReady(model);
    await settle();
    loader.last.succeed();
    await ready;

    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 0 });
    await host.ensureReady(model, { timeoutMs: 0 });
  });

  test('waits for this very version', async () => {
    const { host, loader, leased } = createHost();
    await leased();
    const ready = host.ensureReady(next);
    expect(await isSettled(ready)).toBe(false);

    loader.last.succeed();

    await ready;
  });

  test('is over with its time, and the load goes on', async () => {
    const { host, loader } = createHost();

    await expect(host.ensureReady(model, { timeoutMs: 1 })).rejects.toThrow(ModelLoadingError);
    expect(loader.last.signal.aborted).toBe(false);
  });

  test('is over with its caller’s signal', async () => {
    const { host } = createHost();
    const controller = new AbortController();
    const waiting = host.ensureReady(model, { signal: controller.signal, timeoutMs: 60_000 });
    controller.abort(new Error('gone'));

    await expect(waiting).rejects.toThrow('gone');
  });
});

describe('preload', () => {
  test('loads though nobody waits', async () => {
    const { host, loader } = createHost();
    host.preload(model);
    await settle();

    expect(loader.last.key).toBe('model@1.0.0');
  });
});

describe('unloading', () => {
  test('ends the worker and says when that is done', async () => {
    const { promise, resolve } = byHand();
    const { host, loader, leased, stateOf } = createHost({}, { onEnd: () => promise });
    (await leased()).release();

    const unloading = host.unload('model@1.0.0');

    expect(await isSettled(unloading)).toBe(false);
    expect(stateOf('model@1.0.0')).toBe('DRAINING');
    resolve();
    await unloading;
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
    expect(loader.alive).toEqual([]);
  });

  test('waits for the last lease; who asks meanwhile waits for the model to be loaded again', async () => {
    const { host, loader, leased } = createHost();
    const lease = await leased();
    const unloading = host.unload('model@1.0.0');
    const waiting = host.lease(model);
    expect(await isSettled(unloading)).toBe(false);
    expect(await workerOf(lease)).toBe(0);

    lease.release();
    // Over when the old worker has ended, whatever has become of the new one.
    await unloading;
    expect(loader.loads).toHaveLength(2);
    loader.last.succeed();

    expect(await workerOf(await waiting)).toBe(1);
  });

  test('does not wait for leases longer than it may', async () => {
    const { host, leased, pass, loader } = createHost();
    await leased();
    const unloading = host.unload('model@1.0.0');
    pass(29_999);
    expect(await isSettled(unloading)).toBe(false);

    pass(1);

    await unloading;
    expect(loader.alive).toEqual([]);
  });

  test('does not wait for a worker that does not end', async () => {
    const { host, leased, pass, log } = createHost({}, { onEnd: () => new Promise(() => undefined) });
    (await leased()).release();
    const unloading = host.unload('model@1.0.0');
    pass(9_999);
    expect(await isSettled(unloading)).toBe(false);

    pass(1);

    await unloading;
    expect(log).toContain('error model.lost model@1.0.0 its worker does not end; its memory is not given back');
    expect(host.report().memory.reservedMb).toBeGreaterThan(0);
  });

  test('by two at once ends the worker once, and both know when', async () => {
    const { host, loader, leased } = createHost();
    const lease = await leased();
    const unloading = [host.unload('model@1.0.0'), host.unload('model@1.0.0')];
    lease.release();

    await Promise.all(unloading);

    expect(loader.workers[0]?.endings).toBe(1);
  });

  test('while it loads gives up the load and fails its waiters', async () => {
    const { host, loader, stateOf } = createHost();
    const waiting = expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();

    await host.unload('model@1.0.0');

    await waiting;
    expect(loader.last.signal.aborted).toBe(true);
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
  });

  test('is not over before the load that it gives up is, and leaves no worker of it', async () => {
    const { host, loader } = createHost({}, { obeysAbort: false });
    const waiting = expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();
    const unloading = host.unload('model@1.0.0');
    expect(await isSettled(unloading)).toBe(false);

    loader.last.succeed();

    await unloading;
    await waiting;
    expect(loader.alive).toEqual([]);
  });

  test('is over even when the worker could not be ended in order', async () => {
    const failing = () => Promise.reject(new Error('the disk is full'));
    const { host, log, leased, stateOf } = createHost({}, { onEnd: failing });
    (await leased()).release();

    await host.unload('model@1.0.0');

    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
    expect(log).toContain('error model.end model@1.0.0 the disk is full');
  });

  test('of what is not there does nothing', async () => {
    const { host, leased } = createHost();
    (await leased()).release();
    await host.unload('model@1.0.0');

    await host.unload('model@1.0.0');
    await host.unload('nobody@1.0.0');
  });
});

describe('keep_alive', () => {
  test('of 0 unloads after the request, also when the model was READY before', async () => {
    const { host, leased, stateOf } = createHost();
    await leased();
    const second = await host.lease(model, { keepAliveMs: 0 });
    expect(stateOf('model@1.0.0')).toBe('READY');
    (await leased()).release();
    second.release();
    await settle();
    expect(stateOf('model@1.0.0')).toBe('READY');
  });

  test('comes with the lease that is waited for', async () => {
    const { host, loader, stateOf } = createHost();
    const waiting = host.lease(model, { keepAliveMs: 0 });
    await settle();
    loader.last.succeed();
    (await waiting).release();
    await settle();

    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
  });

  test('is ignored where the configuration says so', async () => {
    const { host, loader, stateOf } = createHost({ keepAliveAllowed: false });
    const waiting = host.lease(model, { keepAliveMs: 0 });
    await settle();
    loader.last.succeed();
    (await waiting).release();
    await settle();

    expect(stateOf('model@1.0.0')).toBe('READY');
  });
});

describe('time', () => {
  test('is looked at often while something moves or waits, and otherwise now and then', async () => {
    const { host, loader, repeated } = createHost();
    expect(repeated.everyMs()).toBe(1_000);
    const lease = host.lease(model);
    await settle();
    expect(repeated.everyMs()).toBe(250);
    loader.last.succeed();
    await lease;

    expect(repeated.everyMs()).toBe(1_000);
  });

  test('that is due is acted upon when it is looked at', async () => {
    const { loader, host, repeated, pass } = createHost({ loadTimeoutMs: 10_000 });
    void host.lease(model).catch(() => undefined);
    await settle();
    pass(9_999);
    expect(loader.last.signal.aborted).toBe(false);
    pass(1);
    repeated.run();

    expect(loader.last.signal.reason).toMatchObject({ code: 'LOAD_TIMEOUT' });
  });

  test('do not count what passes between two requests that may be a freeze, however short', async () => {
    const { loader, host, pauses, repeated, stateOf } = createHost({ loadTimeoutMs: 10_000, loadStallMs: 10_000 });
    const waiting = host.lease(model);
    waiting.catch(() => undefined);
    await settle();

    for (let pause = 0; pause < 20; pause++) {
      host.rest();
      pauses(1_500);
      repeated.run();
      host.wake();
    }

    expect(stateOf('model@1.0.0')).toBe('DOWNLOADING');
    loader.last.succeed();
    await waiting;
  });

  test('spent frozen does not count against a load, and the loader is told of it', async () => {
    const { loader, host, freeze, pass } = createHost({ loadTimeoutMs: 10_000, loadStallMs: 10_000 });
    void host.lease(model).catch(() => undefined);
    await settle();
    pass(5_000);
    expect(loader.thaws).toBe(0);
    freeze(3_600_000);
    pass(2_000);

    expect(loader.last.signal.aborted).toBe(false);
    expect(loader.thaws).toBe(1);
  });
});

describe('closing', () => {
  test('ends every worker and every load, refuses who asks after it, and stops looking at the clock', async () => {
    const { host, loader, leased, repeated } = createHost();
    const lease = await leased();
    const waiting = expect(host.lease(other)).rejects.toThrow(ModelDrainingError);
    await settle();

    const closing = host.close();

    await waiting;
    await expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    expect(await isSettled(closing)).toBe(false);
    expect(repeated.isOver).toBe(false);
    lease.release();
    await closing;
    expect(repeated.isOver).toBe(true);
    expect(loader.alive).toEqual([]);
    expect(host.status().map(({ state }) => state)).toEqual(['UNLOADED', 'UNLOADED']);
  });

  test('waits for what is left of a crashed worker', async () => {
    const { promise, resolve } = byHand();
    const { host, loader, leased } = createHost({}, { onEnd: () => promise });
    await leased();
    loader.last.observer.onCrash(crash);

    const closing = host.close();

    expect(await isSettled(closing)).toBe(false);
    resolve();
    await closing;
  });

  test('waits for what is left of a version that has been forgotten', async () => {
    const { promise, resolve } = byHand();
    const { host, loader, leased, freeze } = createHost({}, { onEnd: () => promise });
    (await leased()).release();
    (await host.lease(next)).release();
    await settle();
    loader.last.succeed();
    await settle();
    freeze(10_000);

    const closing = host.close();

    expect(await isSettled(closing)).toBe(false);
    resolve();
    await closing;
  });
});
