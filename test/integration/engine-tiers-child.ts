/** Loads a small model as a cold start does, and asks it a few times. */
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';

const worker = ModelWorker.start(deployedEngine(), () => undefined, { rehearses: true });
await worker.load({ ...(await modelOnDisk(modelFolder['translate-en-es'])), warmUp: 1, onWarming: () => undefined });
const texts = ['I need help with the rent, and the heating does not work.'];
for (let asked = 0; asked < 20; asked++) {
  await worker.run({ task: 'translation', texts, source: 'en', target: 'es', numBeams: 1 });
}
// What is optimised by then is told when it is done.
await new Promise((resolve) => setTimeout(resolve, 3_000));
await worker.terminate();
