/**
 * The worker thread of one model: its WebAssembly heap, sessions and tokenizer live and end with it (design part 4,
 * fact 1). It starts the engine as soon as that is compiled, so that this happens while the weights still arrive.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { CasaLinguaError } from '../errors.ts';
import { type Attempt, unwrap } from './attempt.ts';
import { currentHeap } from './engine/heap-tensor.ts';
import { type OrtModule, startOrtModule } from './engine/ort-module.ts';
import { type LoadedModel, loadModel, ModelFiles } from './load-model.ts';
import { rehearse } from './rehearsal.ts';
import type { TaskOutput } from './tasks.ts';
import { deathOf, isFatal, isOutOfMemory } from './worker-death.ts';
import type { Answer, FromWorker, ToWorker, WorkerFault, WorkerStart } from './worker-protocol.ts';

if (parentPort === null) throw new Error('worker.ts runs as a worker thread');
const port = parentPort;

const { glue, threads, rehearsal } = workerData as WorkerStart;
const compiling = new Promise<WebAssembly.Module>((resolve) => {
  port.on('message', (message: ToWorker) => {
    if (message.type === 'engine') resolve(message.compiled);
  });
});
const engine = startEngine();
// A failed start is told when the model is to be loaded; until then it must not end the thread.
engine.catch(() => undefined);
let model: LoadedModel | undefined;

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'engine':
      return;
    case 'load':
      // Unhandled, it ends the thread: nothing in it is to be trusted any more.
      load(message).catch((thrown: unknown) => {
        throw deathOf(thrown);
      });
      return;
    case 'run':
      send(run(message));
      return;
  }
});

async function startEngine(): Promise<OrtModule> {
  const start = (sessionThreads: number) => startOrtModule(new URL(glue), compiling, sessionThreads);
  if (rehearsal !== undefined) await rehearse(await start(1), rehearsal);
  return start(threads);
}

function send(message: FromWorker): void {
  port.postMessage(message);
}

async function load({ manifest, files, arrivingWeights, warmUp }: Extract<ToWorker, { type: 'load' }>): Promise<void> {
  // An engine that did not start is not the model's fault: the thread dies of it, and another may do better.
  const module = await engine;
  try {
    const loaded = await loadModel(module, manifest, new ModelFiles(manifest, files, arrivingWeights));
    send({ type: 'warming' });
    for (let inference = 0; inference < warmUp; inference++) warm(loaded);
    model = loaded;
    send({ type: 'ready', heapBytes: currentHeap(module).byteLength });
  } catch (thrown) {
    if (isFatal(thrown) || isOutOfMemory(thrown)) throw thrown;
    send({ type: 'load-failed', fault: faultOf(thrown, 'MODEL_UNSUPPORTED') });
  }
}

function run({ id, inputs, cancelled }: Extract<ToWorker, { type: 'run' }>): FromWorker {
  const flags = new Int32Array(cancelled);
  const started = performance.now();
  const computeMs = () => performance.now() - started;
  try {
    if (model === undefined) throw new Error('the model is not loaded');
    const attempts = model.run(inputs, (caller) => Atomics.load(flags, caller) !== 0);
    return { type: 'done', id, answers: attempts.map(answerOf), computeMs: computeMs() };
  } catch (thrown) {
    // A heap that is full has given back what this run took: whoever asks for less is served.
    if (isFatal(thrown)) throw thrown;
    return { type: 'run-failed', id, fault: faultOf(thrown, 'INFERENCE_FAILED'), computeMs: computeMs() };
  }
}

/** @throws what it failed of */
function warm({ run: ask, sample }: LoadedModel): void {
  for (const attempted of ask([sample], () => false)) unwrap(attempted);
}

function answerOf(attempted: Attempt<TaskOutput>): Answer {
  return attempted.kind === 'done'
    ? { kind: 'done', output: attempted.value }
    : { kind: 'failed', fault: faultOf(attempted.cause, 'INFERENCE_FAILED') };
}

function faultOf(thrown: unknown, otherwise: WorkerFault['code']): WorkerFault {
  if (thrown instanceof CasaLinguaError) {
    switch (thrown.code) {
      case 'CANCELLED':
      case 'INFERENCE_FAILED':
      case 'MODEL_UNSUPPORTED':
      case 'UNSUPPORTED_LANGUAGE':
        return { code: thrown.code, message: thrown.message };
    }
  }
  // The engine's own errors may quote what it was given; only their class is told.
  return { code: otherwise, message: thrown instanceof Error ? thrown.name : typeof thrown };
}
