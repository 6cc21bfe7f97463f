/** A model that comes and goes through the host, as in a deployed function. */
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import type { Log } from '../../../shared/observability/log.ts';
import { modelKey } from '../../../shared/repository/manifest.ts';
import { serve } from '../serve.ts';
import { type Cycle, runCycle } from './cycle.ts';
import { settledMb } from './memory.ts';

export interface OursStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  /** Of language detection. */
  readonly model: string;
}

const { bundle, model } = JSON.parse(process.argv[2] ?? '') as OursStart;
const log: Log = { info: () => {}, warn: () => {}, error: (event, fields) => console.error(event, fields) };
const { catalog, host } = composeInference(begin(process.env, pathToFileURL(`${bundle}/`)), { log });

serve<object, Cycle>(async () => {
  const manifest = await catalog.model(model);
  return runCycle(async () => {
    const lease = await host.lease(manifest);
    await lease.run({ task: 'language-detection', texts: ['Good morning.'] });
    lease.release();
    return () => host.unload(modelKey(manifest));
  }, settledMb);
});
