import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Front, startFront } from '../../infra/local/front/front.ts';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { localVariables } from '../../infra/sam/local-variables.ts';
import { synthesise } from '../../infra/sam/synth.ts';
import { writeSamTemplate } from '../../infra/sam/write-template.ts';
import { checks } from '../../infra/smoke/checks.ts';
import { runChecks } from '../../infra/smoke/run-checks.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { inferenceBundle, modelFolders } from '../support/local-run.ts';
import { readSamTemplate } from '../support/sam-reader.ts';

const programs = join(import.meta.dirname, '..', '..', 'build', 'local');

/** What `sam local start-api` would run, found as it finds it, and served by our own front. */
describe('the template for sam', () => {
  let folder: string;
  let stores: LocalStores;
  let front: Front;
  let found: ReturnType<typeof readSamTemplate>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-sam-'));
    stores = await startLocalStores({ modelFolders });
    await synthesise('dev', folder, [`architecture=${arch() === 'arm64' ? 'arm64' : 'x86_64'}`]);
    const portOf = (endpoint: string) => Number(new URL(endpoint).port);
    const places = { s3Port: portOf(stores.s3Endpoint), dynamoPort: portOf(stores.dynamoEndpoint) };
    found = readSamTemplate(
      await writeSamTemplate(folder, 'CasaLingua-dev', localVariables({ host: '127.0.0.1', ...places })),
    );
    front = await startFront({
      functions: found.functions.map((one) => ({
        ...one,
        maxInstances: 1,
        provisioned: 0,
        timeoutMs: one.timeoutSeconds * 1000,
        // What the runtime adds.
        environment: { ...one.environment, AWS_REGION: 'eu-central-1' },
      })),
      routes: found.routes,
      programs: { runtime: join(programs, 'lambda-runtime.mjs'), reaper: join(programs, 'reaper.mjs') },
    });
  }, 300_000);

  afterAll(async () => {
    await front?.close();
    await stores?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('has the three functions, as Node.js 24 runs them', () => {
    expect(found.functions.map(({ handler, runtime, layers }) => ({ handler, runtime, layers }))).toEqual(
      Array.from({ length: 3 }, () => ({ handler: 'index.handler', runtime: 'nodejs24.x', layers: [] })),
    );
  });

  it('points to the code that was tested, byte for byte', async () => {
    const target = found.routes.find(({ path }) => path === '/translate')?.function;
    const deployed = found.functions.find(({ name }) => name === target)?.folder ?? '';

    expect(deployed.startsWith(folder)).toBe(true);
    for (const file of ['index.mjs', 'worker.mjs', 'ort-wasm-simd-threaded.wasm']) {
      const [ours, theirs] = await Promise.all([inferenceBundle, deployed].map((at) => readFile(join(at, file))));
      expect(ours?.equals(theirs ?? Buffer.of()), file).toBe(true);
    }
  });

  it('passes the smoke test when what it points to is served', async () => {
    const results = await runChecks(checks, {
      url: front.url,
      send: (request) => fetch(request),
      authorize: async (request) => {
        request.headers.set('authorization', `Bearer ${stores.apiKey}`);
        return request;
      },
      patienceMs: 60_000,
      clock: systemClock,
      sleep: (ms) => delay(ms),
    });

    expect(results.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(results).toHaveLength(checks.length);
  });
});
