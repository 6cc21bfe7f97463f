import { describe, expect, test } from 'vitest';
import { ModelDrainingError, ModelLoadFailedError } from '../../shared/host/errors.ts';
import { LazyModelHost } from '../../shared/host/lazy-model-host.ts';
import type { Lease } from '../../shared/host/model-host.ts';
import type { Log } from '../../shared/observability/log.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { ScriptedLoader, type ScriptedLoaderOptions, scriptedManifest } from '../support/scripted-loader.ts';

const model = scriptedManifest('model');
const next = scriptedManifest('model', '2.0.0');
const corrupt = new FileCorruptError('model.onnx has another sha256');
const away = new StoreUnavailableError('S3 does not answer');

function createHost(options: ScriptedLoaderOptions = {}) {
  const loader = new ScriptedLoader(options);
  const events: string[] = [];
  const note =
    (level: string): Log['info'] =>
    (event, fields) =>
      events.push(`${level} ${event} ${fields?.['state']}`);
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  let time = 1_000;
  const clock = { now: () => time };
  const host = new LazyModelHost({ loader, clock, log });
  return {
    host,
    loader,
    events,
    advance: (ms: number) => {
      time += ms;
    },
    stateOf: (key: string) => host.status().find(({ id, version }) => `${id}@${version}` === key)?.state,
    /** A lease on a model that loads at once. */
    async leased(manifest = model): Promise<Lease> {
      const lease = host.lease(manifest);
      await settle();
      if (loader.loads.length > 0 && !loader.last.settled) loader.last.succeed();
      return lease;
    },
  };
}

/** Lets everything happen that needs no further event. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The number of the worker that a lease holds. */
async function workerOf(lease: Lease): Promise<number | undefined> {
  const { detections } = await lease.run({ task: 'language-detection', texts: [''] });
  return detections[0]?.[0]?.confidence;
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await settle();
  return settled;
}

describe('loading', () => {
  test('happens at first use, once for all who ask meanwhile', async () => {
    const { host, loader } = createHost();
    expect(loader.loads).toHaveLength(0);

    const waiting = [host.lease(model), host.lease(model), host.lease(model)];
    await settle();
    loader.last.succeed();

    const leases = await Promise.all(waiting);
    expect(loader.loads).toHaveLength(1);
    expect(await Promise.all(leases.map(workerOf))).toEqual([0, 0, 0]);
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 3 });
  });

  test('is over once the model is READY: the next lease is given at once', async () => {
    const { host, loader, leased } = createHost();
    (await leased()).release();

    await host.lease(model);

    expect(loader.loads).toHaveLength(1);
  });

  test('of one model does not wait for another', async () => {
    const { host, loader } = createHost();
    const slow = host.lease(scriptedManifest('slow'));
    const quick = host.lease(scriptedManifest('quick'));
    await settle();

    loader.loads[1]?.succeed();

    expect((await quick).manifest.id).toBe('quick');
    expect(await isSettled(slow)).toBe(false);
  });

  test('fails every waiter once, with the cause', async () => {
    const { host, loader } = createHost();
    const waiting = [host.lease(model), host.lease(model)];
    const failures = Promise.allSettled(waiting);
    await settle();
    loader.last.fail(away);

    for (const failure of await failures) {
      expect(failure).toMatchObject({
        status: 'rejected',
        reason: { model: 'model@1.0.0', retryable: true, cause: away },
      });
      expect((failure as PromiseRejectedResult).reason).toBeInstanceOf(ModelLoadFailedError);
    }
    expect(loader.loads).toHaveLength(1);
  });

  test('that nobody waits for any more fails in silence', async () => {
    const { host, loader, stateOf } = createHost();
    const controller = new AbortController();
    const waiting = host.lease(model, { signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');

    loader.last.fail(away);
    await settle();

    expect(stateOf('model@1.0.0')).toBe('FAILED');
  });

  test('is tried anew at the next lease when the failure can pass', async () => {
    const { host, loader, leased } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.fail(away);
    await expect(waiting).rejects.toThrow(ModelLoadFailedError);

    await leased();

    expect(loader.loads).toHaveLength(2);
    expect(host.status()[0]).toMatchObject({ state: 'READY' });
    expect(host.status()[0]?.error).toBeUndefined();
  });

  test('is tried anew after an error that nobody has classified', async () => {
    const { host, loader, leased } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.fail(new TypeError('surprise'));
    await expect(waiting).rejects.toMatchObject({ retryable: true });

    await leased();

    expect(loader.loads).toHaveLength(2);
  });

  test('is never tried again when the failure is final, however often one asks', async () => {
    const { host, loader } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.fail(corrupt);
    await expect(waiting).rejects.toMatchObject({ retryable: false });

    for (let ask = 0; ask < 100; ask++) {
      await expect(host.lease(model)).rejects.toMatchObject({
        retryable: false,
        message: 'model@1.0.0 could not be loaded: model.onnx has another sha256',
      });
    }

    expect(loader.loads).toHaveLength(1);
    expect(host.status()[0]).toMatchObject({ state: 'FAILED', error: { code: 'FILE_CORRUPT', retryable: false } });
  });

  test('is tried once more when somebody has unloaded what failed for good', async () => {
    const { host, loader, leased } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.fail(corrupt);
    await expect(waiting).rejects.toThrow();

    await host.unload('model@1.0.0');
    await leased();

    expect(loader.loads).toHaveLength(2);
  });

  test('shows its phases and progress', async () => {
    const { host, loader, events } = createHost();
    const waiting = host.lease(model);
    await settle();
    const { observer } = loader.last;

    expect(host.status()[0]).toMatchObject({ state: 'DOWNLOADING', progress: 0, bytesTotal: 100, startedAt: 1_000 });
    observer.onDownloaded({ bytesDone: 50, bytesTotal: 100 });
    expect(host.status()[0]).toMatchObject({ state: 'DOWNLOADING', progress: 0.35, bytesLoaded: 50 });
    observer.onInitializing();
    expect(host.status()[0]).toMatchObject({ state: 'INITIALIZING' });
    observer.onWarming();
    expect(host.status()[0]).toMatchObject({ state: 'WARMING' });
    loader.last.succeed();
    await waiting;

    expect(events).toEqual([
      'info model.state DOWNLOADING',
      'info model.state INITIALIZING',
      'info model.state WARMING',
      'info model.state READY',
    ]);
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

    await expect(host.lease(model, { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow('late');
    expect(loader.loads).toHaveLength(0);
  });

  test('holds nothing when the load ends in the same moment', async () => {
    const { host, loader } = createHost();
    const controller = new AbortController();
    const waiting = host.lease(model, { signal: controller.signal });
    await settle();

    loader.last.succeed();
    controller.abort(new Error('too late'));

    await expect(waiting).rejects.toThrow('too late');
    await settle();
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 0 });
  });
});

describe('another version', () => {
  test('loads beside the one that serves, and takes over when it is READY', async () => {
    const { host, loader, leased } = createHost();
    const old = await leased();

    const meanwhile = await host.lease(next);
    expect(meanwhile.manifest.version).toBe('1.0.0');
    await settle();
    loader.last.succeed();
    await settle();
    const taken = await host.lease(next);

    expect(taken.manifest.version).toBe('2.0.0');
    expect([await workerOf(old), await workerOf(meanwhile), await workerOf(taken)]).toEqual([0, 0, 1]);
  });

  test('lets the old one drain: it ends with its last lease', async () => {
    const { host, loader, leased, stateOf } = createHost();
    const [first, second] = [await leased(), await host.lease(model)];
    await host.lease(next);
    await settle();
    loader.last.succeed();
    await settle();

    expect(stateOf('model@1.0.0')).toBe('DRAINING');
    first.release();
    await settle();
    expect(loader.workers[0]?.endings).toBe(0);
    second.release();
    await settle();
    // The lease that the old version gave while the new one loaded is still out.
    expect(stateOf('model@1.0.0')).toBe('DRAINING');
    expect(loader.workers[0]?.endings).toBe(0);
  });

  test('that fails for good leaves the old one to serve', async () => {
    const { host, loader, leased } = createHost();
    (await leased()).release();
    (await host.lease(next)).release();
    await settle();
    loader.last.fail(corrupt);
    await settle();

    expect((await host.lease(next)).manifest.version).toBe('1.0.0');
    expect(loader.loads).toHaveLength(2);
  });

  test('of another model concerns nobody', async () => {
    const { host, loader, leased, stateOf } = createHost();
    await leased();
    const other = host.lease(scriptedManifest('other', '2.0.0'));
    await settle();
    loader.last.succeed();

    expect((await other).manifest.id).toBe('other');
    expect(stateOf('model@1.0.0')).toBe('READY');
  });
});

describe('a lease', () => {
  test('counts once however often it is released', async () => {
    const { host, leased } = createHost();
    const [first] = [await leased(), await host.lease(model)];

    first.release();
    first.release();

    expect(host.status()[0]).toMatchObject({ leases: 1 });
  });

  test('marks when the model was last used', async () => {
    const { host, leased, advance } = createHost();
    const lease = await leased();
    expect(host.status()[0]).toMatchObject({ readyAt: 1_000, lastUsedAt: 1_000 });

    advance(500);
    lease.release();

    expect(host.status()[0]).toMatchObject({ readyAt: 1_000, lastUsedAt: 1_500 });
  });

  test('passes its caller’s signal to the worker', async () => {
    const lease = await createHost().leased();
    const signal = AbortSignal.abort(new Error('gone'));

    await expect(lease.run({ task: 'language-detection', texts: [''] }, { signal })).rejects.toThrow('gone');
  });
});

describe('unloading', () => {
  test('ends the worker and says when that is done', async () => {
    let hasEnded = () => {};
    const ending = new Promise<void>((resolve) => {
      hasEnded = resolve;
    });
    const { host, loader, leased, stateOf } = createHost({ onEnd: () => ending });
    (await leased()).release();

    const unloading = host.unload('model@1.0.0');

    expect(await isSettled(unloading)).toBe(false);
    expect(stateOf('model@1.0.0')).toBe('DRAINING');
    hasEnded();
    await unloading;
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
    expect(loader.alive).toEqual([]);
  });

  test('waits for the last lease, and gives no other meanwhile', async () => {
    const { host, loader, leased } = createHost();
    const lease = await leased();
    const unloading = host.unload('model@1.0.0');

    expect(await isSettled(unloading)).toBe(false);
    expect(loader.alive).toHaveLength(1);
    await expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    expect(await workerOf(lease)).toBe(0);
    lease.release();
    await unloading;
    expect(loader.alive).toEqual([]);
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
    const { host, loader, stateOf, leased } = createHost();
    const waiting = expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();

    await host.unload('model@1.0.0');

    await waiting;
    expect(loader.last.signal.aborted).toBe(true);
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
    expect(await workerOf(await leased())).toBe(0);
  });

  test('leaves no worker when the load was through before it could be given up', async () => {
    const { host, loader, stateOf } = createHost({ obeysAbort: false });
    const waiting = expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();
    loader.last.succeed();

    await host.unload('model@1.0.0');

    await waiting;
    expect(loader.alive).toEqual([]);
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
  });

  test('is not over before the load that it gives up is', async () => {
    const { host, loader } = createHost({ obeysAbort: false });
    const waiting = expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();

    const unloading = host.unload('model@1.0.0');

    expect(await isSettled(unloading)).toBe(false);
    loader.last.succeed();
    await unloading;
    expect(loader.alive).toEqual([]);
    await waiting;
  });

  test('is over even when the worker could not be ended in order', async () => {
    const { host, events, leased, stateOf } = createHost({
      onEnd: () => Promise.reject(new Error('the disk is full')),
    });
    (await leased()).release();

    await host.unload('model@1.0.0');

    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
    expect(events.some((event) => event.startsWith('error'))).toBe(true);
  });

  test('of what is not there does nothing', async () => {
    const { host, leased } = createHost();
    (await leased()).release();
    await host.unload('model@1.0.0');

    await host.unload('model@1.0.0');
    await host.unload('nobody@1.0.0');
  });

  test('is no farewell: the next lease loads anew', async () => {
    const { host, loader, leased } = createHost();
    (await leased()).release();
    await host.unload('model@1.0.0');

    expect(await workerOf(await leased())).toBe(1);
    expect(loader.loads).toHaveLength(2);
  });
});

describe('a worker that crashes', () => {
  const crash = new WorkerCrashedError('out of memory');

  test('while it is READY is replaced at the next lease, though its leases are still out', async () => {
    const { host, loader, leased } = createHost();
    const lost = await leased();
    const [worker] = loader.workers;
    if (worker !== undefined) worker.crashed = true;
    loader.last.observer.onCrash(crash);

    const found = await leased();

    await expect(workerOf(lost)).rejects.toThrow(WorkerCrashedError);
    expect(await workerOf(found)).toBe(1);
    expect(host.status()[0]).toMatchObject({ state: 'READY', leases: 1 });
    await settle();
    expect(worker?.endings).toBe(1);
  });

  test('keeps its leases to itself: they count for no other worker', async () => {
    const { host, loader, leased } = createHost();
    const lost = await leased();
    loader.last.observer.onCrash(crash);
    const found = await leased();
    const unloading = host.unload('model@1.0.0');

    lost.release();

    expect(await isSettled(unloading)).toBe(false);
    expect(loader.workers[1]?.endings).toBe(0);
    found.release();
    await unloading;
  });

  test('while it loads fails the load, which can be tried anew', async () => {
    const { host, loader, leased } = createHost();
    const waiting = host.lease(model);
    await settle();
    loader.last.observer.onCrash(crash);

    await expect(waiting).rejects.toMatchObject({ retryable: true, cause: crash });
    expect(await workerOf(await leased())).toBe(0);
  });

  test('just as its load ends is not taken for READY', async () => {
    const { host, loader, stateOf } = createHost({ obeysAbort: false });
    const waiting = expect(host.lease(model)).rejects.toMatchObject({ retryable: true });
    await settle();
    loader.last.succeed();
    loader.last.observer.onCrash(crash);

    await waiting;
    expect(stateOf('model@1.0.0')).toBe('FAILED');
    expect(loader.alive).toEqual([]);
  });

  test('after it was replaced does not harm the new one', async () => {
    const { host, loader, leased, stateOf } = createHost();
    (await leased()).release();
    await host.unload('model@1.0.0');
    await leased();

    loader.loads[0]?.observer.onCrash(crash);

    expect(stateOf('model@1.0.0')).toBe('READY');
  });

  test('while it drains is through with its last lease', async () => {
    const { host, loader, leased, stateOf } = createHost();
    const lease = await leased();
    const unloading = host.unload('model@1.0.0');
    loader.last.observer.onCrash(crash);
    lease.release();

    await unloading;
    expect(stateOf('model@1.0.0')).toBe('UNLOADED');
  });
});

describe('closing', () => {
  test('ends every worker and every load, and nothing is leased after it', async () => {
    const { host, loader, leased } = createHost();
    const lease = await leased();
    const waiting = expect(host.lease(scriptedManifest('other'))).rejects.toThrow(ModelDrainingError);
    await settle();

    const closing = host.close();

    await waiting;
    await expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    expect(await isSettled(closing)).toBe(false);
    lease.release();
    await closing;
    expect(loader.alive).toEqual([]);
    expect(host.status().map(({ state }) => state)).toEqual(['UNLOADED', 'UNLOADED']);
  });

  test('lasts: nothing is loaded after it', async () => {
    const { host, loader } = createHost();
    await host.close();

    await expect(host.lease(model)).rejects.toThrow(ModelDrainingError);
    await settle();
    expect(loader.loads).toHaveLength(0);
  });

  test('waits for what is left of a crashed worker', async () => {
    let hasEnded = () => {};
    const ending = new Promise<void>((resolve) => {
      hasEnded = resolve;
    });
    const { host, loader, leased } = createHost({ onEnd: () => ending });
    await leased();
    loader.last.observer.onCrash(new WorkerCrashedError('out of memory'));

    const closing = host.close();

    expect(await isSettled(closing)).toBe(false);
    hasEnded();
    await closing;
  });
});
