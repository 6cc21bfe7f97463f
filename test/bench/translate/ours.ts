/** Our side: the model's worker as a deployed function starts it, called directly and through the app around it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import { runtimeFiles, type TranslationManifest } from '../../../shared/repository/manifest.ts';
import { compileEngine } from '../../../shared/runtime/compiled-engine.ts';
import { ModelWorker } from '../../../shared/runtime/model-worker.ts';
import type { TranslationInput } from '../../../shared/runtime/tasks.ts';
import { serve } from '../serve.ts';
import { measureOverhead, type Overhead, warmApp } from './overhead.ts';
import { type Round, type RoundRequest, runRound, type SideStart } from './rounds.ts';

export interface OursStart extends SideStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  /** The folder that the model was published from. */
  readonly model: string;
}

export type OursRequest = RoundRequest | { readonly type: 'warm app' } | { readonly type: 'overhead' };

const { bundle, model, sentences } = JSON.parse(process.argv[2] ?? '') as OursStart;
const assets = pathToFileURL(`${bundle}/`);
const inference = composeInference(begin(process.env, assets));
const manifest = await publishedManifest();
const worker = ModelWorker.start(compileEngine(assets, 1), (error) => {
  throw error;
});
await worker.load({
  manifest,
  files: new Map(runtimeFiles(manifest).map(({ path }) => [path, join(model, path)])),
  warmUp: 1,
  onWarming: () => {},
});

serve<OursRequest, Round | Overhead | undefined>(async (request) => {
  switch (request.type) {
    case 'round':
      return runRound(sentences, request.batch, async (texts) => {
        const { output } = await worker.run(greedy(texts));
        return output.translations.map(({ text }) => text);
      });
    case 'warm app':
      await warmApp(inference, sentences);
      return undefined;
    case 'overhead':
      return measureOverhead({ inference, manifest, worker, sentences });
  }
});

async function publishedManifest(): Promise<TranslationManifest> {
  const manifests = await inference.catalog.models();
  const found = manifests.find(({ id }) => id === 'translate-en-es');
  if (found?.task !== 'translation') throw new Error('translate-en-es is not active');
  return found;
}

function greedy(texts: readonly string[]): TranslationInput {
  return { task: 'translation', texts, source: 'en', target: 'es', numBeams: 1 };
}
