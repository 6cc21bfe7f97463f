import { describe, expect, test } from 'vitest';
import { createModelBreakers } from '../../functions/inference/model-breakers.ts';
import { createRunModel } from '../../functions/inference/model-run.ts';
import type { LoadPriority } from '../../shared/host/model-host.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { translationManifest } from '../support/fake-catalog.ts';
import { createFakeHost, type FakeHostOptions } from '../support/fake-host.ts';
import { createTestBreakers } from '../support/fleet-breakers.ts';
import { noRefusals } from '../support/inference-app.ts';
import { createTestGate } from '../support/test-gate.ts';

const manifest = translationManifest('translate-en-es', 'en>es');
const input = { task: 'translation', texts: ['hello'], source: 'en', target: 'es' } as const;

/** The way to one model whose runs end when the test says how. */
function createStage(options: FakeHostOptions = {}) {
  const time = { now: 1_700_000_000_000 };
  const ends: ((error?: Error) => void)[] = [];
  const host = createFakeHost({
    ...options,
    beforeRun: () =>
      new Promise((resolve, reject) => ends.push((error) => (error === undefined ? resolve() : reject(error)))),
  });
  const clock = { now: () => time.now };
  const { breakers } = createTestBreakers(clock);
  const breakerOf = createModelBreakers(breakers, breakerSettings({ failureThreshold: 2 }));
  const gate = createTestGate({ clock, settings: admissionSettings({ batching: { maxWaitMs: 0 } }) });
  const run = createRunModel(host, { news: () => undefined, gate, breakerOf, loads: noRefusals, fairRunMs: 5_000 });
  const ask = (within?: number, asked: TranslationInput = input, priority: LoadPriority = 'interactive') =>
    run(manifest, asked, {
      signal: new AbortController().signal,
      priority,
      done: 0.5,
      deadline: within === undefined ? undefined : time.now + within,
    }).catch((error: unknown) => error);
  return { ask, breaker: breakerOf(manifest), ends, gate, host, time };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a worker that crashes with several requests in it is one failure to their breaker', async () => {
  const { ask, breaker, ends, gate, host } = createStage();
  const first = ask();
  const shared = [ask(), ask(), ask(), ask()];
  await settle();
  ends[0]?.();
  await settle();

  const crash = new WorkerCrashedError('dead');
  for (const end of ends.slice(1)) end(crash);

  expect(await Promise.all(shared)).toEqual([crash, crash, crash, crash]);
  expect(await first).toMatchObject({ task: 'translation' });
  expect(breaker.refuses()).toBe(false);
  expect([host.leasesHeld(), gate.report().inFlight, gate.report().waiting]).toEqual([0, 0, 0]);

  const again = ask();
  await settle();
  ends.at(-1)?.(new WorkerCrashedError('dead again'));
  await again;
  expect(breaker.refuses()).toBe(true);
});

test('a deadline that passes before its turn is told with the model, and what of the request was done', async () => {
  const { ask, ends, host, time } = createStage();
  void ask();
  const late = ask(50);
  await settle();

  time.now += 60;
  ends[0]?.();

  expect(await late).toBeInstanceOf(DeadlineExceededError);
  expect(await late).toMatchObject({ code: 'DEADLINE_EXCEEDED', model: 'translate-en-es', progress: 0.5 });
  expect([host.leasesHeld(), ends.length]).toEqual([0, 1]);
});

test('who gets no lease has left the gate', async () => {
  const refusal = new Error('no lease');
  const { ask, gate } = createStage({ beforeLease: () => Promise.reject(refusal) });

  expect(await ask()).toBe(refusal);
  expect(gate.report().waiting).toBe(0);
});

test('who is not let in takes no lease', async () => {
  const { ask, ends, host } = createStage();
  const refusals: unknown[] = [];
  for (let request = 0; request < 130; request++) void ask().then((answer) => refusals.push(answer));

  await settle();

  // A hundred may wait; none has had its turn before all had come.
  expect(refusals).toHaveLength(30);
  expect(refusals[0]).toMatchObject({ code: 'OVERLOADED', reason: 'queue' });
  expect([host.leases.length, ends.length]).toEqual([100, 1]);
});

describe('a request of many texts that may wait', () => {
  const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
  const batch = { ...input, texts };

  test('is made in runs of their own, between which an urgent one has its turn', async () => {
    const { ask, ends, host, gate } = createStage();
    const many = ask(undefined, batch, 'batch');
    await settle();
    const urgent = ask();
    await settle();
    for (let run = 0; run < 4; run++) {
      ends[run]?.();
      await settle();
    }

    expect(await many).toMatchObject({ translations: texts.map((text) => ({ text: text.toUpperCase() })) });
    expect(await urgent).toMatchObject({ translations: [{ text: 'HELLO' }] });
    expect(host.runs.map((run) => run.input.texts.length)).toEqual([8, 1, 8, 4]);
    expect([host.leases.length, host.leasesHeld(), gate.report().waiting]).toEqual([2, 0, 0]);
  });

  test('is one run where an instance has one request at a time', () => {
    const gate = createTestGate({ servesMany: false });

    expect(gate.pieces(manifest, batch, 'batch')).toEqual([batch]);
  });

  test('is one run where it is urgent itself', async () => {
    const { ask, ends, host } = createStage();
    const many = ask(undefined, batch);
    await settle();
    ends[0]?.();
    await many;

    expect(host.runs.map((run) => run.input.texts.length)).toEqual([20]);
  });

  test('goes on where the breaker has opened meanwhile, and fails by itself', async () => {
    const { ask, breaker, ends, host } = createStage();
    const many = ask(undefined, batch, 'batch');
    await settle();
    const failing = [ask(), ask()];
    await settle();
    ends[0]?.();
    await settle();
    for (const [index, end] of ends.slice(1, 3).entries()) end(new WorkerCrashedError(`dead ${index}`));
    await Promise.all(failing);
    await settle();
    expect(breaker.refuses()).toBe(true);

    ends[3]?.();
    await settle();
    const crash = new WorkerCrashedError('dead as well');
    ends[4]?.(crash);

    expect(await many).toBe(crash);
    expect(host.leasesHeld()).toBe(0);
  });

  test('tells how far it has come when its deadline passes', async () => {
    const { ask, ends, time } = createStage();
    const many = ask(1_000, batch, 'batch');
    await settle();
    void ask();
    await settle();
    ends[0]?.();
    await settle();
    time.now += 2_000;
    ends[1]?.();

    expect(await many).toMatchObject({ code: 'DEADLINE_EXCEEDED', progress: 0.5 + 0.5 / 3 });
  });
});
