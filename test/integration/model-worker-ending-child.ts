/** Ends its model in the moment in which answers of cancelled runs arrive: the process ends when the thread has ended, not before. */
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';

const { manifest, files } = await modelOnDisk(modelFolder['translate-en-es']);
const worker = ModelWorker.start(deployedEngine(), () => undefined);
await worker.load({ manifest, files, warmUp: 1, onWarming: () => undefined });
const callers = new AbortController();
const input = { task: 'translation', texts: ['Good morning.'], source: 'en', target: 'es' } as const;
const runs = Array.from({ length: 5 }, () => worker.run(input, callers.signal));
callers.abort(new Error('hung up'));
await Promise.allSettled(runs);
// The thread answers them while this one does not look.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
void worker.terminate().then(() => console.log('ended'));
