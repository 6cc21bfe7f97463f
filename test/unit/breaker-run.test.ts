import { describe, expect, it } from 'vitest';
import { verdictOfRun } from '../../functions/inference/breaker-verdict.ts';
import { ModelDrainingError, ModelLoadFailedError } from '../../shared/host/errors.ts';
import { DeadlineExceededError, RequestCancelledError } from '../../shared/http/errors.ts';
import {
  InferenceFailedError,
  OutOfMemoryError,
  UnsupportedLanguageError,
  WorkerCrashedError,
} from '../../shared/runtime/errors.ts';
import { createFakeHost } from '../support/fake-host.ts';
import { HandClock } from '../support/hand-clock.ts';
import { createTestApp, postJson } from '../support/inference-app.ts';

const fairMs = 5_000;

describe('of a run that failed', () => {
  it.each([
    [new InferenceFailedError('x'), 0, 'failure'],
    [new WorkerCrashedError('x'), 0, 'failure'],
    [new OutOfMemoryError('x'), 0, 'failure'],
    [new TypeError('x'), 0, 'failure'],
    [new DeadlineExceededError('x'), fairMs, 'failure'],
    [new DeadlineExceededError('x'), fairMs - 1, 'neutral'],
    [new RequestCancelledError('x'), fairMs, 'neutral'],
    [new UnsupportedLanguageError('x'), 0, 'neutral'],
    [new ModelDrainingError('x'), 0, 'neutral'],
  ] as const)('%s after %i ms is a %s', (thrown, tookMs, verdict) => {
    expect(verdictOfRun(thrown, tookMs, fairMs)).toBe(verdict);
  });
});

/** The app over a model of which a test says how it fails. */
function stage(breaker: Parameters<typeof createTestApp>[0] = {}) {
  const clock = new HandClock();
  const faults: { run: unknown; lease: unknown } = { run: undefined, lease: undefined };
  const host = createFakeHost({
    beforeLease: async () => {
      if (faults.lease !== undefined) throw faults.lease;
    },
    beforeRun: async (input) => {
      if (faults.run !== undefined && input.task === 'translation') throw faults.run;
    },
  });
  const { app } = createTestApp({ host, clock: { now: () => clock.wall() }, ...breaker });
  const translate = (path = '/translate') =>
    path === '/translate'
      ? postJson(app, path, { q: 'hello', source: 'en', target: 'es' })
      : postJson(app, path, { text: 'hello', source_language: 'en', target_language: 'es' });
  const statuses = async (count: number) => {
    const found: number[] = [];
    for (let call = 0; call < count; call++) found.push((await translate()).status);
    return found;
  };
  return { app, clock, faults, host, translate, statuses };
}

describe('a model that fails', () => {
  it('is not asked any more after five failures: callers hear when to come back', async () => {
    const { faults, host, translate, statuses } = stage();
    faults.run = new InferenceFailedError('the engine failed');

    expect(await statuses(6)).toEqual([500, 500, 500, 500, 500, 503]);

    const { status, headers, body } = await translate();
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('300');
    expect(body).toMatchObject({
      type: '/problems/breaker-open',
      code: 'BREAKER_OPEN',
      model: 'translate-en-es@1',
      state: 'OPEN',
      retryable: true,
    });
    // Refused calls have not even asked for the model, and nobody holds it.
    expect(host.leases).toHaveLength(5);
    expect(host.leasesHeld()).toBe(0);
  });

  it('is unavailable in the words of /pipeline', async () => {
    const { faults, translate } = stage();
    for (let crash = 0; crash < 5; crash++) {
      faults.run = new WorkerCrashedError('it crashed');
      await translate();
    }

    const { status, headers, body } = await translate('/pipeline/translate');

    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('300');
    expect(body).toMatchObject({
      status: 'error',
      error: { code: 'MODEL_UNAVAILABLE', details: { reason: 'BREAKER_OPEN', state: 'OPEN', retryable: true } },
    });
  });

  it('does not take others with it, nor another operation', async () => {
    const { app, faults, statuses } = stage();
    faults.run = new InferenceFailedError('the engine failed');
    await statuses(6);
    faults.run = undefined;

    expect((await postJson(app, '/translate', { q: 'hola', source: 'es', target: 'en' })).status).toBe(200);
    expect((await postJson(app, '/detect', { q: 'hola' })).status).toBe(200);
  });

  it('comes back after its time: two probes, then more and more calls', async () => {
    const { clock, faults, statuses } = stage();
    faults.run = new InferenceFailedError('the engine failed');
    await statuses(6);
    faults.run = undefined;

    clock.pass(300_000);
    // Two probes and the first call of the ramp.
    expect(await statuses(4)).toEqual([200, 200, 200, 503]);
    clock.pass(20_000);

    expect(await statuses(10)).toEqual(Array(10).fill(200));
  });

  it('stays away when the probe fails', async () => {
    const { clock, faults, statuses } = stage();
    faults.run = new InferenceFailedError('the engine failed');
    await statuses(6);

    clock.pass(300_000);

    expect(await statuses(3)).toEqual([500, 503, 503]);
  });

  it('is not blamed for what happens before the run, or for bad input', async () => {
    const { faults, statuses } = stage();
    faults.lease = new ModelLoadFailedError('no', { retryable: true });
    expect(await statuses(20)).toEqual(Array(20).fill(503));
    faults.lease = undefined;
    faults.run = new UnsupportedLanguageError('no');
    expect(await statuses(20)).toEqual(Array(20).fill(400));
    faults.run = undefined;

    expect(await statuses(1)).toEqual([200]);
  });

  it('gives its lease back when the ramp refuses the call', async () => {
    const { clock, faults, host, statuses } = stage({ breaker: { halfOpenSuccesses: 1 } });
    faults.run = new InferenceFailedError('the engine failed');
    await statuses(5);
    faults.run = undefined;
    clock.pass(300_000);

    expect(await statuses(3)).toEqual([200, 200, 503]);

    expect(host.leasesHeld()).toBe(0);
  });
});
