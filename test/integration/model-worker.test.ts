import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileEngine } from '../../shared/runtime/compiled-engine.ts';
import { OptimisingThreads } from '../../shared/runtime/engine/optimising-threads.ts';
import {
  InferenceFailedError,
  ModelUnsupportedError,
  OutOfMemoryError,
  WorkerCrashedError,
} from '../../shared/runtime/errors.ts';
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { withEngineChange, withHeapOf, withWorker } from '../support/faulty-engine.ts';
import { deployedEngine, type ModelOnDisk, modelFolder, modelOnDisk } from '../support/real-model.ts';

const english = (changes: Partial<TranslationInput> & Pick<TranslationInput, 'texts'>): TranslationInput => ({
  task: 'translation',
  source: 'en',
  target: 'es',
  numBeams: 1,
  ...changes,
});

/** Far more than anybody would wait for: sixteen beams for each of 4000 sentences. */
const endlessWork = english({ texts: ['Where is the nearest library? '.repeat(4000)], numBeams: 16 });

/** Compiled once, as in a process that serves. */
const engine = deployedEngine();

const quiet = { warmUp: 1, onWarming: () => undefined };

async function started(model: ModelOnDisk, onEnd: (error: WorkerCrashedError) => void = () => undefined) {
  const worker = ModelWorker.start(engine, onEnd);
  await worker.load({ ...model, ...quiet });
  return worker;
}

let translation: ModelOnDisk;
let detection: ModelOnDisk;
beforeAll(async () => {
  [translation, detection] = await Promise.all([
    modelOnDisk(modelFolder['translate-en-es']),
    modelOnDisk(modelFolder['language-detection']),
  ]);
});

describe('a worker that is loaded', () => {
  let worker: ModelWorker;
  beforeAll(async () => {
    worker = await started(translation);
  });
  afterAll(() => worker.terminate());

  const translate = async (changes: Partial<TranslationInput> & Pick<TranslationInput, 'texts'>) =>
    (await worker.run(english(changes))).output;

  test('translates each text, and says what it took', async () => {
    const { output, computeMs } = await worker.run(english({ texts: ['Good morning.', 'Where is the library?'] }));

    expect(output.translations.map(({ text }) => text)).toEqual(['Buenos días.', '¿Dónde está la biblioteca?']);
    expect(output.usage.sourceTokens).toBeGreaterThan(output.translations.length);
    expect(output.usage.targetTokens).toBeGreaterThan(output.translations.length);
    expect(computeMs).toBeGreaterThan(0);
  });

  test('keeps white space, line breaks and what holds no letter', async () => {
    const { translations } = await translate({
      texts: ['  Good morning.\r\n\r\n12:30 🏠\n\tGood morning.  ', ' 42 ', ''],
    });

    expect(translations.map(({ text }) => text)).toEqual([
      '  Buenos días.\r\n\r\n12:30 🏠\n\tBuenos días.  ',
      ' 42 ',
      '',
    ]);
  });

  test('translates a sentence the same alone and among others, by either search', async () => {
    const texts = ['Good morning.', 'I have to pay the rent before the first of the month.', 'Thank you very much!'];
    for (const numBeams of [1, 4]) {
      const together = await translate({ texts, numBeams });
      const alone = await Promise.all(texts.map((text) => translate({ texts: [text], numBeams })));

      expect(alone.flatMap(({ translations }) => translations)).toEqual(together.translations);
    }
  });

  test('gives alternatives that differ, the best apart', async () => {
    const { translations } = await translate({ texts: ['I like to read books.'], alternatives: 3 });
    const [{ text, alternatives } = { text: '', alternatives: [] }] = translations;

    expect(alternatives.length).toBeGreaterThan(0);
    expect(alternatives.length).toBeLessThanOrEqual(3);
    expect(new Set([text, ...alternatives]).size).toBe(1 + alternatives.length);
  });

  test('is confident between 0 and 1 when asked, by either search, and of nothing where nothing was translated', async () => {
    for (const numBeams of [1, 4]) {
      const { translations } = await translate({ texts: ['Good morning.', '42'], withConfidence: true, numBeams });

      expect(translations[0]?.confidence).toBeGreaterThan(0.2);
      expect(translations[0]?.confidence).toBeLessThanOrEqual(1);
      expect(translations[1]?.confidence).toBeNull();
    }
    expect((await translate({ texts: ['Good morning.'] })).translations[0]?.confidence).toBeNull();
  });

  test('ends an answer at the limit that it is given', async () => {
    const { usage } = await translate({
      texts: ['I have to pay the rent before the first of the month.'],
      maxNewTokens: 3,
    });

    expect(usage.targetTokens).toBe(3);
  });

  test('refuses a task of another kind, and goes on', async () => {
    await expect(worker.run({ task: 'language-detection', texts: ['Hello'] })).rejects.toThrow(ModelUnsupportedError);
    expect((await translate({ texts: ['Good morning.'] })).translations[0]?.text).toBe('Buenos días.');
  });

  test('does not begin what nobody wants any more', async () => {
    await expect(worker.run(endlessWork, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  test('stops at the next step when it is cancelled, so that the next one is served', async () => {
    const controller = new AbortController();
    const events: string[] = [];
    const endless = worker.run(endlessWork, controller.signal).catch((reason: Error) => events.push(reason.message));
    const next = worker.run(english({ texts: ['Good morning.'] })).then(() => events.push('the next is served'));

    controller.abort(new Error('gone'));

    await Promise.all([endless, next]);
    expect(events).toEqual(['gone', 'the next is served']);
  });
});

describe('a batch of several callers', () => {
  let worker: ModelWorker;
  beforeAll(async () => {
    worker = await started(translation);
  });
  afterAll(() => worker.terminate());

  const good = english({ texts: ['Good morning.'] });

  test('goes on for the others when one has gone, without what that one asked for', async () => {
    const gone = new AbortController();
    const { results, ended } = worker.runBatch([
      // Behind `good`'s only sentence this would be minutes of work.
      { input: { ...endlessWork, numBeams: 1 }, signal: gone.signal },
      { input: good },
    ]);

    gone.abort(new Error('gone'));

    await expect(results[0]).rejects.toThrow('gone');
    const answer = await results[1];
    expect(answer?.output.translations[0]?.text).toBe('Buenos días.');
    expect(await ended).toBe(answer?.computeMs);
  });

  test('ends at the next step when all have gone', async () => {
    const callers = [new AbortController(), new AbortController()];
    const { results, ended } = worker.runBatch(callers.map(({ signal }) => ({ input: endlessWork, signal })));
    const next = worker.run(good);

    for (const caller of callers) caller.abort(new Error('gone'));

    for (const result of results) await expect(result).rejects.toThrow('gone');
    expect(await ended).toBeGreaterThanOrEqual(0);
    expect((await next).output.translations[0]?.text).toBe('Buenos días.');
  });

  test('fails for all when its worker is ended', async () => {
    const doomed = await started(detection);
    const input = { task: 'language-detection', texts: ['Hello'] } as const;
    const { results, ended } = doomed.runBatch([{ input }, { input }]);

    await doomed.terminate();

    for (const result of results) await expect(result).rejects.toThrow(WorkerCrashedError);
    expect(await ended).toBeUndefined();
    expect(await doomed.runBatch([{ input }]).ended).toBeUndefined();
  });
});

test('a worker of the language detection tells languages apart', async () => {
  const worker = await started(detection);

  const texts = ['Where is the nearest library?', '¿Dónde está la biblioteca más cercana?', '12:30'];
  const { output } = await worker.run({ task: 'language-detection', texts });

  expect(output.detections.map(([best]) => best?.language)).toEqual(['en', 'es', undefined]);
  await worker.terminate();
});

test('loading tells when the weights are in and the warm-up begins, then how large the heap is', async () => {
  const worker = ModelWorker.start(engine, () => undefined);
  const events: string[] = [];

  const { heapBytes } = await worker.load({ ...translation, warmUp: 1, onWarming: () => events.push('warming') });
  events.push('ready');

  expect(events).toEqual(['warming', 'ready']);
  expect(heapBytes).toBeGreaterThan(10_000_000);
  await worker.terminate();
});

describe('a worker that is ended', () => {
  test('fails what is under way and what comes later, once each, and does not call it a crash', async () => {
    const ends: WorkerCrashedError[] = [];
    const worker = await started(translation, (error) => ends.push(error));
    const underWay = [worker.run(endlessWork), worker.run(endlessWork)];
    const failures = Promise.allSettled(underWay);

    await worker.terminate();

    for (const failure of await failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: expect.any(WorkerCrashedError) });
    }
    await expect(worker.run(endlessWork)).rejects.toThrow(WorkerCrashedError);
    await expect(worker.load({ ...translation, ...quiet })).rejects.toThrow(WorkerCrashedError);
    await worker.terminate();
    expect(ends).toEqual([]);
  });

  test('fails a load that is under way', async () => {
    const worker = ModelWorker.start(engine, () => undefined);
    const loading = expect(worker.load({ ...translation, ...quiet })).rejects.toThrow(WorkerCrashedError);

    await worker.terminate();

    await loading;
  });
});

describe('a worker that dies', () => {
  const onMessage = (type: string, what: string) => `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (message) => { if (message.type === ${JSON.stringify(type)}) { ${what} } });`;

  test.each([
    ['throws', "throw new Error('at once')", 'crashed'],
    ['exits', 'process.exit(3)', 'code 3'],
  ])('when it %s while it loads, fails the load and says so once', async (_, what, words) => {
    const ends: WorkerCrashedError[] = [];
    const worker = ModelWorker.start(withWorker(engine, onMessage('load', what)), (error) => ends.push(error));

    const failure = await worker.load({ ...translation, ...quiet }).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(WorkerCrashedError);
    expect((failure as Error).message).toContain(words);
    expect(ends).toEqual([failure]);
    await worker.terminate();
    expect(ends).toHaveLength(1);
  });

  test('fails every run that waits, once each, and every later one', async () => {
    const ends: WorkerCrashedError[] = [];
    const dies = onMessage('run', "if (message.id === 3) throw new Error('enough')");
    const worker = ModelWorker.start(withWorker(engine, dies), (error) => ends.push(error));
    const input = english({ texts: ['Good morning.'] });

    const failures = await Promise.allSettled([worker.run(input), worker.run(input), worker.run(input)]);

    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(worker.run(input)).rejects.toBe(ends[0]);
    expect(ends).toHaveLength(1);
  });

  test('is not shown what nobody wanted from the start', async () => {
    const fault = "{ code: 'INFERENCE_FAILED', message: 'the second came' }";
    const answer = `{ type: 'done', id: 2, answers: [{ kind: 'failed', fault: ${fault} }], computeMs: 1 }`;
    const dies = onMessage('run', `if (message.id === 1) throw new Error('shown'); parentPort.postMessage(${answer});`);
    const worker = ModelWorker.start(withWorker(engine, dies), () => undefined);
    const input = english({ texts: ['Good morning.'] });

    await expect(worker.run(input, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');

    await expect(worker.run(input)).rejects.toThrow('the second came');
    await worker.terminate();
  });

  test('for want of JavaScript’s memory says so', async () => {
    const full = "throw Object.assign(new Error('heap limit'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })";
    const worker = ModelWorker.start(withWorker(engine, onMessage('load', full)), () => undefined);

    await expect(worker.load({ ...translation, ...quiet })).rejects.toThrow(OutOfMemoryError);
  });

  test('dies of an engine that cannot be started: that is not the model’s fault', async () => {
    const broken = { ...engine, glue: new URL('file:///nowhere/ort-wasm-simd-threaded.mjs') };
    const worker = ModelWorker.start(broken, () => undefined);

    await expect(worker.load({ ...translation, ...quiet })).rejects.toThrow(WorkerCrashedError);
  });

  test('dies of a trap in the engine: the heap is not to be trusted any more', async () => {
    const trapping = withEngineChange(
      engine,
      `const run = module._OrtRun;
      let runs = 0;
      module._OrtRun = (...given) => {
        if (++runs > 10) throw new WebAssembly.RuntimeError('unreachable');
        return run(...given);
      };`,
    );
    const worker = ModelWorker.start(trapping, () => undefined);
    await worker.load({ ...translation, ...quiet });

    const sentence = 'I have to pay the rent before the first of the month.';
    await expect(worker.run(english({ texts: [sentence] }))).rejects.toThrow(WorkerCrashedError);
  });
});

describe('a heap that is full in the middle of a translation', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-heap-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('fails that one and serves the next as before: it has given back what it took', async () => {
    // The model takes 37 MB of it; a batch of long sentences with 16 beams takes far more.
    const worker = ModelWorker.start(await withHeapOf(engine, 38, folder), () => undefined);
    await worker.load({ ...translation, ...quiet });
    const small = english({ texts: ['Where is the library?'] });
    const before = await worker.run(small);
    const sentence =
      'I went to the library to read a book about houses and gardens and trees and dogs and cats '.repeat(4);
    const large = english({ texts: Array.from({ length: 32 }, (_, index) => `${index} ${sentence}`), numBeams: 16 });

    await expect(worker.run(large)).rejects.toThrow(InferenceFailedError);

    expect((await worker.run(small)).output).toEqual(before.output);
    await worker.terminate();
  });
});

describe('an engine that cannot be compiled', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-engine-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('fails the load for now, and the next one tries anew', async () => {
    const late = compileEngine(pathToFileURL(join(folder, '/')), 1);
    const ends: WorkerCrashedError[] = [];
    const worker = ModelWorker.start({ ...engine, compiled: late.compiled }, (error) => ends.push(error));

    const failure = await worker.load({ ...translation, ...quiet }).catch((error: unknown) => error);

    expect(failure).toMatchObject({ message: 'the engine could not be compiled', retryable: true });
    expect(ends).toEqual([failure]);
    // The smallest module there is.
    await writeFile(join(folder, 'ort-wasm-simd-threaded.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));

    expect(await late.compiled()).toBeDefined();
  });
});

describe('a model that this runtime cannot serve', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-worker-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The model with another file in the place of the one at `path`. */
  const withFile = async (path: string, bytes: string | Uint8Array): Promise<ModelOnDisk> => {
    const file = join(folder, path.replaceAll('/', '-'));
    await writeFile(file, bytes);
    return { manifest: translation.manifest, files: new Map([...translation.files, [path, file]]) };
  };
  const without = (path: string): ModelOnDisk => ({
    manifest: { ...translation.manifest, files: translation.manifest.files.filter((file) => file.path !== path) },
    files: translation.files,
  });
  const half = async (path: string) => {
    const bytes = await readFile(translation.files.get(path) ?? '');
    return bytes.subarray(0, bytes.length / 2);
  };
  const encoder = 'onnx/encoder_model_quantized.onnx';
  const decoder = 'onnx/decoder_model_merged_quantized.onnx';

  test.each([
    [
      'half an encoder',
      async () => withFile(encoder, await half(encoder)),
      'onnxruntime-web could not create a session',
    ],
    ['an empty decoder', () => withFile(decoder, ''), 'onnxruntime-web could not create a session'],
    [
      'an encoder in the decoder’s place',
      async () => withFile(decoder, await readFile(translation.files.get(encoder) ?? '')),
      'merged export',
    ],
    ['no tokenizer', async () => without('tokenizer.json'), 'tokenizer'],
    ['a tokenizer that is not JSON', () => withFile('tokenizer.json', '{'), 'tokenizer.json'],
    ['a configuration of something else', () => withFile('config.json', '{"d_model": "wide"}'), 'd_model'],
  ])('is refused for good with the reason: %s', async (_, model, reason) => {
    const worker = ModelWorker.start(engine, () => undefined);

    const failure = await worker.load({ ...(await model()), ...quiet }).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(ModelUnsupportedError);
    expect((failure as Error).message).toContain(reason);
    await worker.terminate();
  });
});

describe('V8 optimises the engine with one thread while a large model loads, and else with all that it has', () => {
  const all = 128;
  const recorded = () => {
    const allowed: number[] = [];
    return { allowed, engine: { ...engine, optimising: new OptimisingThreads((threads) => allowed.push(threads)) } };
  };
  /** The model as it is, with what would be a large file beside it. */
  const large = (): ModelOnDisk => {
    const file = { path: 'large', size: 40_000_000, sha256: '0'.repeat(64), role: 'other' as const };
    const { manifest, files } = detection;
    return { manifest: { ...manifest, files: [...manifest.files, file] }, files };
  };

  test('until it is READY', async () => {
    const { allowed, engine } = recorded();
    const worker = ModelWorker.start(engine, () => undefined);

    await worker.load({ ...large(), warmUp: 1, onWarming: () => expect(allowed).toEqual([1]) });

    expect(allowed).toEqual([1, all]);
    await worker.terminate();
  });

  test('and leaves a small one alone', async () => {
    const { allowed, engine } = recorded();
    const worker = ModelWorker.start(engine, () => undefined);

    await worker.load({ ...detection, ...quiet });

    expect(allowed).toEqual([]);
    await worker.terminate();
  });

  test('however a load ends, and not before the last of several has', async () => {
    const { allowed, engine } = recorded();
    const ended = ModelWorker.start(engine, () => undefined);
    const refused = ModelWorker.start(engine, () => undefined);
    const { manifest, files } = large();
    const loads = [ended.load({ manifest, files, ...quiet }), refused.load({ manifest, files: new Map(), ...quiet })];
    const failures = Promise.allSettled(loads);

    await ended.terminate();
    expect(allowed).toEqual([1, 1]);
    await failures;

    expect(allowed).toEqual([1, 1, all]);
    await refused.terminate();
  });
});

test('an idle model keeps no process alive', async () => {
  const child = join(import.meta.dirname, 'model-worker-child.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child]);

  expect(stdout).toBe('Buenos días.\n');
});

test('a model that is being unloaded keeps the process until it is, though answers of cancelled runs still come', async () => {
  const child = join(import.meta.dirname, 'model-worker-ending-child.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child]);

  expect(stdout).toBe('ended\n');
});
