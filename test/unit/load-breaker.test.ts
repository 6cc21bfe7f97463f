import { describe, expect, it } from 'vitest';
import { createModelBreakers } from '../../functions/inference/model-breakers.ts';
import { createRunModel } from '../../functions/inference/model-run.ts';
import { BreakerOpenError } from '../../shared/breaker/errors.ts';
import { LoadTimeoutError, ModelDrainingError, PreemptedError } from '../../shared/host/errors.ts';
import { createGuardedLoader, verdictOfLoad } from '../../shared/host/guarded-loader.ts';
import { createLoadGuard, loadBreakerSettings } from '../../shared/host/load-guard.ts';
import type { ModelLoader } from '../../shared/host/model-loader.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { ModelUnsupportedError, OutOfMemoryError, WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { createFakeHost, modelStatus } from '../support/fake-host.ts';
import { createTestBreakers } from '../support/fleet-breakers.ts';
import { HandClock } from '../support/hand-clock.ts';
import { hostSettings } from '../support/host-settings.ts';
import { createTestApp, postJson } from '../support/inference-app.ts';
import { SchedulerStage } from '../support/scheduler-stage.ts';
import { createScriptedHost, isSettled, settle } from '../support/scripted-host.ts';
import { ScriptedLoader, type ScriptedLoaderOptions, scriptedManifest } from '../support/scripted-loader.ts';
import { createTestGate } from '../support/test-gate.ts';

const model = scriptedManifest('model');
const next = scriptedManifest('model', '2.0.0');
const away = new StoreUnavailableError('S3 does not answer');
const refusal = new BreakerOpenError('the circuit breaker of load model@1.0.0 is OPEN', { retryAfterSeconds: 45 });
const observer = { onDownloaded() {}, onInitializing() {}, onWarming() {}, onCrash() {} };
const settings = loadBreakerSettings(breakerSettings({ failureThreshold: 2, resetMs: 60_000 }), 300_000);

/** Breakers that open at the second failure, for a minute. */
function createGuard(wall: () => number) {
  const { breakers } = createTestBreakers({ now: wall });
  return { breakers, guard: createLoadGuard(breakers, settings), state: () => breakers.report()[0]?.state };
}

function stage(options: ScriptedLoaderOptions = {}) {
  const loader = new ScriptedLoader(options);
  const clock = new HandClock();
  const around = createGuard(() => clock.wall());
  const guarded = createGuardedLoader(loader, around.guard);
  /** An attempt that comes to this end; its failure. */
  const attempt = async (end: (abort: AbortController) => void) => {
    const abort = new AbortController();
    const outcome = guarded.load(model, observer, abort.signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    end(abort);
    return outcome;
  };
  return { ...around, clock, loader, guarded, attempt, fail: () => attempt(() => loader.last.fail(away)) };
}

describe('of an attempt to load that failed', () => {
  it.each([
    [away, 'failure'],
    [new LoadTimeoutError('x'), 'failure'],
    [new WorkerCrashedError('x'), 'failure'],
    [new OutOfMemoryError('x'), 'failure'],
    [new TypeError('x'), 'failure'],
    [new FileCorruptError('x'), 'neutral'],
    [new ModelUnsupportedError('x'), 'neutral'],
    [new PreemptedError('x'), 'neutral'],
    [new ModelDrainingError('x'), 'neutral'],
  ] as const)('%s is a %s', (thrown, verdict) => {
    expect(verdictOfLoad(thrown)).toBe(verdict);
  });
});

describe('the breaker before loads', () => {
  it('refuses, once it is open, without asking the loader', async () => {
    const { loader, fail, guarded, state } = stage();
    expect([await fail(), await fail()]).toEqual([away, away]);
    expect(state()).toBe('OPEN');

    const refused = guarded.load(model, observer, new AbortController().signal);

    await expect(refused).rejects.toMatchObject({
      code: 'BREAKER_OPEN',
      message: 'the circuit breaker of load model@1.0.0 is OPEN',
      model: 'model@1.0.0',
      retryAfterSeconds: 60,
      retryable: true,
    });
    expect(loader.loads).toHaveLength(2);
  });

  it('closes with the first load that succeeds: there may be no second for hours', async () => {
    const { attempt, clock, loader, fail, state } = stage();
    await fail();
    await fail();
    clock.pass(60_000);

    await attempt(() => loader.last.succeed());

    expect(state()).toBe('CLOSED');
  });

  it('waits for its probe as long as a load may take', async () => {
    const { clock, guard, fail, guarded } = stage();
    await fail();
    await fail();
    clock.pass(60_000);
    void guarded.load(model, observer, new AbortController().signal);

    clock.pass(299_999);
    expect(guard.refusal(model)).toMatchObject({ state: 'HALF_OPEN' });
    clock.pass(1);
    expect(guard.refusal(model)).toBeUndefined();
  });

  it('does not mind how long a load takes', async () => {
    const { breakers, clock } = stage();
    const patient = loadBreakerSettings(breakerSettings({ rule: 'rate', minimumCalls: 1 }), 300_000);
    const guard = createLoadGuard(breakers, patient);
    const slow = async () => clock.pass(299_000);

    for (let load = 0; load < 5; load++) await guard.run(model, slow, verdictOfLoad);

    expect(breakers.report()).toMatchObject([{ state: 'CLOSED' }]);
  });

  it('counts a load that ran out of its time at once, though it may never come to an end', async () => {
    const { attempt, state } = stage({ obeysAbort: false });
    const late = new LoadTimeoutError('the load took longer than 300 s');

    const outcomes = [attempt((abort) => abort.abort(late)), attempt((abort) => abort.abort(late))];
    await settle();

    expect(state()).toBe('OPEN');
    expect(await Promise.all(outcomes.map(isSettled))).toEqual([false, false]);
  });

  it('does not count one that was taken back', async () => {
    const { attempt, state } = stage();
    for (let time = 0; time < 5; time++) await attempt((abort) => abort.abort(new PreemptedError('x')));

    expect(state()).toBe('CLOSED');
  });

  it('lets the host have the worker of a load that was through before it could be given up', async () => {
    const { guarded, loader } = stage({ obeysAbort: false });
    const abort = new AbortController();
    const loading = guarded.load(model, observer, abort.signal);

    abort.abort(new PreemptedError('x'));
    await settle();
    const worker = loader.last.succeed();

    expect(await loading).toBe(worker);
  });

  it('tells the loader of freezes', () => {
    const { guarded, loader } = stage();

    guarded.thawed();

    expect(loader.thaws).toBe(1);
  });
});

describe('a load that its breaker refuses', () => {
  it('ends at once, for all who wait, and is tried again when the breaker says so', () => {
    const host = new SchedulerStage();
    const asked = host.askAll([model, model]);

    host.fails(model, refusal);

    for (const { answers, error } of asked) {
      expect(answers).toHaveLength(1);
      expect(error).toMatchObject({
        code: 'BREAKER_OPEN',
        model: 'model@1.0.0',
        retryAfterSeconds: 45,
        cause: refusal,
      });
    }
    expect(host.status(model)).toMatchObject({ state: 'FAILED', nextTryAt: host.clock.wallMs + 45_000, attempts: 0 });
    host.pass(44_000);
    expect(host.ask(model).error).toMatchObject({ code: 'BREAKER_OPEN', retryAfterSeconds: 1 });
    host.pass(1_000);
    host.ask(model);
    expect(host.begun).toBe(2);
  });

  it('does not make the host leave the model alone for longer', () => {
    const host = new SchedulerStage(hostSettings({ retry: { maxAttempts: 1 } }));
    for (let time = 0; time < 5; time++) {
      host.ask(model);
      host.fails(model, refusal);
      host.pass(45_000);
    }

    host.ask(model);
    host.fails(model, away);

    expect(host.status(model).nextTryAt).toBe(host.clock.wallMs + 30_000);
  });

  it('is tried again after a minute though the breaker spoke of longer: an operator may have released it', () => {
    const host = new SchedulerStage();
    host.ask(model);
    host.fails(model, new BreakerOpenError('open, by an operator', { retryAfterSeconds: 7_200 }));

    host.pass(59_000);
    expect(host.ask(model).error).toMatchObject({ code: 'BREAKER_OPEN', retryAfterSeconds: 1 });
    host.pass(1_000);
    host.ask(model);

    expect(host.begun).toBe(2);
  });

  it('is tried again by itself when it is to be loaded at start', () => {
    const host = new SchedulerStage();
    host.scheduler.preload(model);
    host.fails(model, refusal);

    host.pass(45_000);

    expect(host.loading).toEqual(['model@1.0.0']);
  });
});

describe('a request for a model whose loads fail', () => {
  const task = { task: 'language-detection', texts: [''] } as const;

  /** A way to the model on which each failed attempt fails its request, and the second opens the breaker. */
  function served() {
    const time = { wallMs: 1_000, monotonicMs: 0 };
    const { breakers, guard } = createGuard(() => time.wallMs);
    const settingsOfHost = { retry: { maxAttempts: 1, cooldownMs: 1 } };
    const around = (inner: ModelLoader) => createGuardedLoader(inner, guard);
    const scripted = createScriptedHost(settingsOfHost, {}, { time, around });
    const { host, loader, pass } = scripted;
    const breakerOf = createModelBreakers(breakers, breakerSettings());
    const gate = createTestGate();
    const run = createRunModel(host, { news: () => undefined, gate, breakerOf, loads: guard, fairRunMs: 5_000 });
    const ask = (manifest = model) => run(manifest, task, { signal: new AbortController().signal });
    const isServed = async (asked: Promise<unknown>) => {
      await settle();
      loader.last.succeed();
      return asked;
    };
    /** Twice, of which nobody need hear. */
    const opened = async (manifest = model) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        const asked = ask(manifest).catch(() => undefined);
        await settle();
        loader.last.fail(away);
        await asked;
        pass(1);
      }
    };
    return { ...scripted, ask, isServed, opened };
  }

  it('is refused before it causes another', async () => {
    const { ask, opened, loader } = served();
    await opened();

    await expect(ask()).rejects.toMatchObject({ code: 'BREAKER_OPEN', state: 'OPEN', retryAfterSeconds: 60 });
    expect(loader.loads).toHaveLength(2);
  });

  it('joins the load that probes', async () => {
    const { ask, isServed, opened, pass, loader } = served();
    await opened();
    pass(60_000);

    await isServed(Promise.all([ask(), settle().then(() => ask())]));

    expect(loader.loads).toHaveLength(3);
  });

  it('is served by another version that is READY', async () => {
    const { ask, isServed, opened, loader, stateOf } = served();
    await isServed(ask());
    await opened(next);

    expect(stateOf('model@2.0.0')).toBe('FAILED');
    expect(await ask(next)).toBeDefined();
    expect(loader.loads).toHaveLength(3);
  });

  it('is served by a model that is READY, whatever is known of its loads', async () => {
    const loads = { refusal: () => refusal };
    const text = { q: 'hello', source: 'en', target: 'es' };
    const ready = createTestApp({ loads, host: createFakeHost({ status: [modelStatus()] }) });
    const unloaded = createTestApp({ loads, host: createFakeHost({ status: [modelStatus({ state: 'UNLOADED' })] }) });

    expect((await postJson(ready.app, '/translate', text)).status).toBe(200);
    expect((await postJson(unloaded.app, '/translate', text)).body).toMatchObject({ code: 'BREAKER_OPEN' });
    expect(unloaded.host.leases).toEqual([]);
  });
});
