import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compileEngine } from '../../shared/runtime/compiled-engine.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import type { DetectionInput } from '../../shared/runtime/tasks.ts';
import { copyWithFaults, type FaultyBundle } from '../support/local-faulty-bundle.ts';
import { inferenceBundle } from '../support/local-run.ts';
import { modelFolder, modelOnDisk } from '../support/real-model.ts';

const input: DetectionInput = { task: 'language-detection', texts: ['Where is the library?'] };

let bundle: FaultyBundle;
beforeEach(async () => {
  bundle = await copyWithFaults(inferenceBundle);
});
afterEach(() => bundle.remove());

test('a worker that does not react to a cancellation is taken for crashed, with all who wait for it', async () => {
  const ended: string[] = [];
  const engine = compileEngine(pathToFileURL(join(bundle.folder, '/')), 1);
  const worker = ModelWorker.start(engine, ({ message }) => ended.push(message), { hangMs: 240 });
  const model = await modelOnDisk(modelFolder['language-detection']);
  await worker.load({ ...model, warmUp: 1, onWarming: () => undefined });
  bundle.set({ model: 'language-detection', at: 'run', what: 'hang' });
  const caller = new AbortController();
  const [hanging, behindIt] = [worker.run(input, caller.signal), worker.run(input)];

  // Cancelled before the thread has begun, it would stop at once.
  await bundle.reached();
  caller.abort(new Error('too late'));

  await expect(hanging).rejects.toThrow('too late');
  await expect(behindIt).rejects.toBeInstanceOf(WorkerCrashedError);
  expect(ended).toEqual([expect.stringContaining('hangs')]);
  await worker.terminate();
});
