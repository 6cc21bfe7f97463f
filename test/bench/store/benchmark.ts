import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleFunctions } from '../../../infra/bundle.ts';
import { buildModels } from '../../../infra/bundle-models.ts';
import type { Benchmark } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { startStores } from '../stores.ts';
import type { Asked, InstanceStart } from './instance.ts';
import { type Counts, type Measured, reportOf } from './report.ts';
import { watchDynamo } from './watched-dynamo.ts';

const MODEL = 'language-detection';
const REQUESTS = 1_000;
/** All of them take longer than it is between two snapshots. */
const PAUSE_MS = 40;
/** More than two times to live of what is known of the fleet. */
const ASLEEP_MS = 11_000;
const THAWS = 2;
/** Less than what a call to the store may take, and more than a request takes. */
const SLOW_MS = 300;
const SLOW_REQUESTS = 300;

/** What an instance whose model is READY asks of DynamoDB, and whether requests wait for it. */
export const store: Benchmark = {
  name: 'store',
  description: 'what a healthy instance asks of DynamoDB: operations per 1,000 requests and per thaw',
  targets: {
    requests_that_waited: { atMost: 0 },
    getitem_breaker_per_thaw: { atMost: 1 },
  },
  defaultRounds: 1,
  async run({ rounds, onProgress }) {
    onProgress('building');
    const [program] = await Promise.all([
      bundleProgram(join(import.meta.dirname, 'instance.ts'), folders.bench),
      bundleFunctions(folders.functions),
      buildModels(folders.models),
    ]);
    const stores = await startStores([join(folders.models, MODEL)]);
    const cache = await mkdtemp(join(tmpdir(), 'casalingua-bench-'));
    const dynamo = await watchDynamo(stores.environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
    const start: InstanceStart = { bundle: folders.inference };
    const child = startChild<Asked, readonly number[]>(program, start, {
      ...stores.environment,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      CASALINGUA_CACHE_FOLDER: cache,
      // A busy machine is not to be taken for a store that is away.
      CASALINGUA_STORE_TIMEOUT_MS: '1000',
    });
    const ask = (requests: number, pauseMs = PAUSE_MS) => child.call({ requests, pauseMs });
    try {
      // It loads its model, and says so.
      await ask(50);
      await delay(3_000);
      onProgress(`${rounds} rounds of ${REQUESTS} requests, ${PAUSE_MS} ms apart`);
      const measured: Measured[] = [];
      for (let round = 0; round < rounds; round++) {
        dynamo.take();
        const startedAt = performance.now();
        const quickMs = await ask(REQUESTS);
        const seconds = (performance.now() - startedAt) / 1000;
        const healthy = dynamo.take();
        dynamo.slowMs = SLOW_MS;
        const slowMs = await ask(SLOW_REQUESTS);
        dynamo.slowMs = 0;
        const thaws: Counts[] = [];
        for (let thaw = 0; thaw < THAWS; thaw++) {
          await delay(ASLEEP_MS);
          dynamo.take();
          await ask(1, 0);
          thaws.push(dynamo.take());
        }
        measured.push({ seconds, quickMs, slowMs, slowStoreMs: SLOW_MS, healthy, thaws });
      }
      return reportOf(measured);
    } finally {
      await child.end();
      await dynamo.close();
      await stores.close();
      await rm(cache, { recursive: true, force: true });
    }
  },
};
