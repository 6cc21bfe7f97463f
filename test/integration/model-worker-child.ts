/** Translates once and lets its model be: the process ends when nothing else keeps it. */
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';

const { manifest, files } = await modelOnDisk(modelFolder['translate-en-es']);
const worker = ModelWorker.start(deployedEngine(), () => undefined);
await worker.load({ manifest, files, warmUp: 1, onWarming: () => undefined });
const { output } = await worker.run({ task: 'translation', texts: ['Good morning.'], source: 'en', target: 'es' });
console.log(output.translations[0]?.text);
