import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ShedError, WaitExpiredError } from '../../shared/admission/errors.ts';
import { Gate } from '../../shared/admission/gate.ts';
import type { AroundRun } from '../../shared/admission/ride.ts';
import type { LoadPriority } from '../../shared/host/model-host.ts';
import { DeadlineExceededError, RequestCancelledError } from '../../shared/http/errors.ts';
import { InferenceFailedError, WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { TranslationOutput } from '../../shared/runtime/tasks.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import { detectionManifest } from '../support/fake-catalog.ts';
import { HandLease } from '../support/hand-lease.ts';

interface Asking {
  readonly signal?: AbortSignal;
  readonly around?: AroundRun;
  readonly priority?: LoadPriority;
  /** Ms from now. */
  readonly within?: number;
  readonly alternatives?: number;
}

/** A gate with a clock of the test's, before one model whose runs the test ends. */
function createStage(settings = admissionSettings(), { servesMany = true, numBeams = 1 } = {}) {
  const time = { now: 1_000_000 };
  const timers: { readonly ms: number; readonly run: () => void }[] = [];
  const gate = new Gate({
    settings,
    servesMany,
    numBeams,
    clock: { now: () => time.now },
    random: () => 0,
    after: (ms, run) => timers.push({ ms, run }),
  });
  const lease = new HandLease();
  const { manifest } = lease;

  /** Asks for one text. @returns what comes back: the text, or the error */
  async function ask(text: string, { signal = new AbortController().signal, around = straight, ...more }: Asking = {}) {
    const { priority = 'interactive', within, alternatives = 0 } = more;
    const input = { task: 'translation', texts: [text], source: 'en', target: 'es', alternatives } as const;
    const deadline = within === undefined ? undefined : time.now + within;
    try {
      const ride = gate.enter({ manifest, input, isLoaded: true, priority, deadline, signal });
      try {
        return ((await ride.run(lease, around)) as TranslationOutput).translations[0]?.text;
      } finally {
        ride.leave();
      }
    } catch (thrown) {
      return thrown;
    }
  }

  /** The same for the language of a text. */
  async function detect(text: string) {
    const { signal } = new AbortController();
    const input = { task: 'language-detection', texts: [text] } as const;
    const entry = { manifest: detectionManifest, input, isLoaded: true, priority: 'interactive' as const };
    const ride = gate.enter({ ...entry, deadline: undefined, signal });
    await ride.run(lease, straight);
  }
  return { ask, detect, gate, lease, time, timers };
}

const straight: AroundRun = (run) => run(new AbortController().signal);
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('requests that wait for one model', () => {
  test('run together, and each hears of its own part', async () => {
    const { ask, gate, lease } = createStage();
    const asked = ['a', 'b', 'c'].map((text) => ask(text));
    await settle();
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end();

    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c']);
    expect(lease.runs.map(({ texts }) => texts)).toEqual([['a'], ['b', 'c']]);
    expect(gate.report()).toMatchObject({ completed: 3, batches: 1, batchedRequests: 2, inFlight: 0, waiting: 0 });
  });

  test.each([
    ['where they do not meet', { servesMany: false }, {}],
    ['where that is off', { servesMany: true }, { mode: 'off' } as const],
  ])('run one by one %s', async (_where, instance, batching) => {
    const { ask, lease } = createStage(admissionSettings({ batching }), instance);
    const asked = ['a', 'b', 'c'].map((text) => ask(text));
    for (let run = 0; run < 3; run++) {
      await settle();
      lease.runs[run]?.end();
    }
    await Promise.all(asked);

    expect(lease.runs.map(({ texts }) => texts)).toEqual([['a'], ['b'], ['c']]);
  });

  test('run together even where requests hardly meet, when that is on', async () => {
    const { ask, lease } = createStage(admissionSettings({ batching: { mode: 'on' } }), { servesMany: false });
    void ['a', 'b', 'c'].map((text) => ask(text));
    await settle();
    lease.runs[0]?.end();
    await settle();

    expect(lease.runs[1]?.texts).toEqual(['b', 'c']);
  });

  test('take a row for each beam, or for each alternative where there are more', async () => {
    const { ask, lease } = createStage(admissionSettings({ batching: { maxRows: 6, maxWaitMs: 0 } }), { numBeams: 2 });
    void ask('first');
    void ['a', 'b', 'c', 'd'].map((text) => ask(text));
    void ['e', 'f', 'g'].map((text) => ask(text, { alternatives: 2 }));
    for (let run = 0; run < 3; run++) {
      await settle();
      lease.runs[run]?.end();
    }
    await settle();

    expect(lease.runs.map(({ texts }) => texts)).toEqual([['first'], ['a', 'b', 'c'], ['d'], ['e', 'f']]);
  });

  test('take one for each text where there is no decoder', async () => {
    const { detect, lease } = createStage(admissionSettings({ batching: { maxRows: 6 } }), { numBeams: 4 });
    const asked = ['first', 'a', 'b', 'c', 'd'].map((text) => detect(text));
    await settle();
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end();
    await Promise.all(asked);

    expect(lease.runs.map(({ texts }) => texts)).toEqual([['first'], ['a', 'b', 'c', 'd']]);
  });

  test('are gathered by a timer', async () => {
    const { ask, lease, time, timers } = createStage();
    const first = ['a', 'b', 'c'].map((text) => ask(text));
    await settle();
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end();
    await Promise.all(first);
    void ask('d');
    await settle();
    expect([lease.runs.length, timers.map(({ ms }) => ms)]).toEqual([2, [2]]);

    time.now += 2;
    timers[0]?.run();
    await settle();

    expect(lease.runs[2]?.texts).toEqual(['d']);
  });
});

describe('a run that is shared and fails', () => {
  test('is made again for each alone, so that one that cannot be done fails alone', async () => {
    const { ask, gate, lease } = createStage();
    const poisoned = (text: string) => (text === 'bad' ? new InferenceFailedError('no') : undefined);
    const asked = ['first', 'good', 'bad', 'better'].map((text) => ask(text));
    await settle();
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end(() => new InferenceFailedError('no'));
    for (let run = 2; run < 5; run++) {
      await settle();
      lease.runs[run]?.end(poisoned);
    }

    const answers = await Promise.all(asked);

    expect(answers.filter((answer) => typeof answer === 'string')).toEqual(['first', 'good', 'better']);
    expect(answers[2]).toBeInstanceOf(InferenceFailedError);
    expect(lease.runs.map(({ texts }) => texts)).toEqual([
      ['first'],
      ['good', 'bad', 'better'],
      ['good'],
      ['bad'],
      ['better'],
    ]);
    await settle();
    expect(gate.report()).toMatchObject({ inFlight: 0, waiting: 0, workAheadMs: 0 });
  });

  test('says nothing of how long runs take', async () => {
    const { ask, gate, lease } = createStage();
    const asked = [ask('a'), ask('b', { alternatives: 1 })];
    await settle();
    lease.runs[0]?.end(() => new InferenceFailedError('no'));
    await settle();
    lease.runs[1]?.end();
    await Promise.all(asked);
    await settle();

    expect(gate.report().serviceMs).toEqual({ p50: 10, p90: 10 });
    expect(gate.report().estimateError).toBeUndefined();
  });

  test('has left the gate before its caller does, and teaches nothing', async () => {
    const { detect, gate, lease } = createStage();
    const failure = new InferenceFailedError('no');
    const asked = detect('a').catch((thrown: unknown) => thrown);
    await settle();
    lease.runs[0]?.end(() => failure);

    expect(await asked).toBe(failure);
    await settle();
    expect(gate.report()).toMatchObject({ inFlight: 0, serviceMs: undefined });
  });

  test('lets go of whoever does not wait for another any more, with what was around its run', async () => {
    const { ask, gate, lease } = createStage();
    const heard: unknown[] = [];
    const controller = new AbortController();
    const around: AroundRun = (run) =>
      run(controller.signal).catch((thrown) => {
        heard.push(thrown);
        throw thrown;
      });
    void ask('first');
    void ask('a');
    const gone = ask('b', { signal: controller.signal, around });
    await settle();
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end(() => new InferenceFailedError('no'));
    await settle();

    const reason = new RequestCancelledError('gone');
    controller.abort(reason);

    expect(await gone).toBe(reason);
    expect(heard).toEqual([reason]);
    expect(gate.report().waiting).toBe(0);
  });

  test('is not made again when the worker died', async () => {
    const { ask, lease } = createStage();
    const asked = ['first', 'a', 'b'].map((text) => ask(text));
    await settle();
    lease.runs[0]?.end();
    await settle();
    const crash = new WorkerCrashedError('dead');
    lease.runs[1]?.die(crash);

    expect(await Promise.all(asked)).toEqual(['first', crash, crash]);
    expect(lease.runs).toHaveLength(2);
  });
});

describe('what is around a run', () => {
  test('and may not make it, leaves the thread to the next', async () => {
    const { ask, lease } = createStage();
    const refusal = new Error('refused');
    const refused = ask('a', { around: () => Promise.reject(refusal) });
    void ask('b');
    await settle();

    expect(await refused).toBe(refusal);
    await settle();
    expect(lease.runs.map(({ texts }) => texts)).toEqual([['b']]);
  });

  test('and makes it later, has it alone, and the thread is not free before that', async () => {
    const { ask, lease } = createStage();
    let begin: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const probe = ask('probe', { around: (run) => asked.then(() => run(new AbortController().signal)) });
    const next = ask('next');
    await settle();
    expect(lease.runs).toEqual([]);

    begin();
    await settle();
    expect(lease.runs.map(({ texts }) => texts)).toEqual([['probe']]);
    lease.runs[0]?.end();
    await settle();
    lease.runs[1]?.end();

    expect(await Promise.all([probe, next])).toEqual(['probe', 'next']);
  });
});

describe('a caller that goes', () => {
  test('while it waits, hears so at once, and whoever comes after it has its turn', async () => {
    const { ask, gate, lease } = createStage();
    const controller = new AbortController();
    void ask('first');
    const gone = ask('gone', { signal: controller.signal });
    void ask('next');
    await settle();
    const reason = new RequestCancelledError('gone');

    controller.abort(reason);

    expect(gate.report()).toMatchObject({ waiting: 1, missed: 0 });
    expect(await gone).toBe(reason);
    lease.runs[0]?.end();
    await settle();
    expect(lease.runs[1]?.texts).toEqual(['next']);
  });

  test('while it runs, frees its place at once; the thread is free when it says so', async () => {
    const { ask, gate, lease } = createStage();
    const controller = new AbortController();
    const { signal } = controller;
    const gone = ask('gone', { signal, around: (run) => run(signal) });
    void ask('next');
    await settle();

    controller.abort(new DeadlineExceededError('late'));
    await gone;

    expect(gate.report()).toMatchObject({ inFlight: 0, missed: 1 });
    expect(lease.runs).toHaveLength(1);
    lease.runs[0]?.end();
    await settle();
    expect(lease.runs[1]?.texts).toEqual(['next']);
  });

  test('while it runs, hears so after what is around its run', async () => {
    const { ask, lease } = createStage();
    const controller = new AbortController();
    const { signal } = controller;
    const heard: string[] = [];
    const around: AroundRun = (run) =>
      run(signal).finally(async () => {
        await settle();
        heard.push('around');
      });
    const gone = ask('gone', { signal, around }).then(() => heard.push('caller'));
    await settle();
    expect(lease.runs).toHaveLength(1);

    controller.abort(new RequestCancelledError('gone'));
    await gone;

    expect(heard).toEqual(['around', 'caller']);
  });

  test('after its answer, finds nobody who listens', async () => {
    const { ask, lease } = createStage();
    const { signal } = new AbortController();
    const asked = ask('a', { signal });
    await settle();
    lease.runs[0]?.end();

    expect(await asked).toBe('a');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('before it has its lease, has taken nothing', async () => {
    const { ask, gate, lease } = createStage();

    expect(await ask('gone', { signal: AbortSignal.abort('gone') })).toBe('gone');
    expect([gate.report().waiting, gate.isAtWork, lease.runs.length]).toEqual([0, false, 0]);
  });
});

test('texts without a character take their time as well', async () => {
  const { ask, gate, lease } = createStage();
  for (let run = 0; run < 8; run++) {
    const asked = ask('');
    await settle();
    lease.runs[run]?.end();
    await asked;
    await settle();
  }
  void ask('');
  await settle();

  expect(gate.report().workAheadMs).toBeCloseTo(10, 0);
});

test('a request that waits is told when it makes way, or its time is over', async () => {
  const { ask, lease, time } = createStage(admissionSettings({ queueLimit: 2 }));
  void ask('first');
  await settle();
  const [late, displaced] = [ask('late', { within: 50 }), ask('displaced', { priority: 'batch' })];
  await settle();

  void ask('urgent');
  time.now += 60;
  lease.runs[0]?.end();

  expect(await late).toBeInstanceOf(WaitExpiredError);
  expect(await displaced).toBeInstanceOf(ShedError);
});
