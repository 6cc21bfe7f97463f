/** The whole way through the host, as in a deployed function: catalog, download, worker, first answer. */
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import type { Log } from '../../../shared/observability/log.ts';
import type { TaskInput } from '../../../shared/runtime/tasks.ts';
import { serve } from '../serve.ts';
import { type Measured, measured } from './measured.ts';

export interface OursStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly model: string;
  readonly ask: TaskInput;
}

const { bundle, model, ask } = JSON.parse(process.argv[2] ?? '') as OursStart;

serve<object, Measured>(() =>
  measured(async ({ downloaded, ready }) => {
    const log: Log = {
      info: (event, fields) => {
        if (event === 'model.state' && fields?.['state'] === 'INITIALIZING') downloaded();
      },
      warn: () => {},
      error: (event, fields) => console.error(event, fields),
    };
    const { catalog, host } = composeInference(begin(process.env, pathToFileURL(`${bundle}/`)), { log });
    const lease = await host.lease(await catalog.model(model));
    ready();
    await lease.run(ask);
    lease.release();
  }),
);
