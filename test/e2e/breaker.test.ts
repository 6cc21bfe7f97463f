import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onLoopback } from '../../infra/local/local-access.ts';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { composeSingleProcess, type SingleProcess } from '../../infra/local/serve-app.ts';
import type { Log } from '../../shared/observability/log.ts';
import { inferenceBundle, modelFolders } from '../support/local-run.ts';
import { copyWithSwitch, type SwitchedBundle } from '../support/local-switched-bundle.ts';

/** The deployed bundle in one process, with real workers whose engine fails to translate as long as there is a file that says so. */

const breakerName = 'translate translate-en-es@1.0.0';
const log: Log = { info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let stores: LocalStores;
let bundle: SwitchedBundle;
let served: SingleProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casalingua-breaker-'));
  stores = await startLocalStores({ modelFolders });
  bundle = await copyWithSwitch(inferenceBundle);
  Object.assign(process.env, stores.environment);
  served = composeSingleProcess(
    {
      ...process.env,
      ...onLoopback,
      CASALINGUA_CACHE_FOLDER: join(folder, 'cache'),
      CASALINGUA_CIRCUIT_BREAKER_RESET_TIMEOUT: '2',
      CASALINGUA_CIRCUIT_BREAKER_RAMP_SECONDS: '0.4',
    },
    bundle.folder,
    log,
  );
});
afterAll(async () => {
  await served?.close();
  await stores?.close();
  await bundle?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Runs of the engine that were made to fail. */
const failures = () => bundle.failedRuns().length;

async function translate(path = '/translate', body: object = { q: 'I need help.', source: 'en', target: 'es' }) {
  const answer = await served.app.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), json };
}

interface Health {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly breakers: readonly { readonly name: string; readonly states: Record<string, number> }[];
  readonly instances: readonly { readonly breakers: readonly { readonly name: string; readonly state: string }[] }[];
}

async function health() {
  const body = (await (await served.app.request('/health/detailed')).json()) as Health;
  return { ...body, breaker: body.instances[0]?.breakers.find(({ name }) => name === breakerName) };
}

it('a model whose engine fails is left alone, then probed by one call, and heals', async () => {
  // Models that work are loaded, and their breakers are closed.
  expect((await translate()).json['translatedText']).toBe('Necesito ayuda.');
  expect(await translate('/detect', { q: 'Buenos días' })).toMatchObject({ status: 200 });
  expect((await health()).breaker).toMatchObject({ state: 'CLOSED', failures: 0, next_probe_at: null });

  // Five failures open it: callers are refused at once, with the time of the next probe, and the engine is not run.
  await bundle.fail();
  for (let call = 0; call < 5; call++) expect(await translate()).toMatchObject({ status: 500 });
  const run = failures();
  expect(await translate()).toMatchObject({
    status: 503,
    retryAfter: expect.stringMatching(/^[12]$/),
    json: { code: 'BREAKER_OPEN', model: 'translate-en-es@1.0.0', state: 'OPEN', retryable: true },
  });
  const pipeline = { text: 'I need help.', source_language: 'en', target_language: 'es' };
  expect(await translate('/pipeline/translate', pipeline)).toMatchObject({
    status: 503,
    retryAfter: expect.stringMatching(/^[12]$/),
    json: { error: { code: 'MODEL_UNAVAILABLE', details: { reason: 'BREAKER_OPEN' } } },
  });
  expect(failures()).toBe(run);

  // Health shows it, the model is READY all the time, and other models serve.
  expect(await health()).toMatchObject({
    status: 'degraded',
    reasons: [`the circuit breaker of ${breakerName} is OPEN on 1 instance`],
    breaker: { state: 'OPEN', failures: 5, next_probe_at: expect.any(String) },
  });
  expect(served.host.isReady('translate-en-es')).toBe(true);
  expect(await translate('/detect', { q: 'Buenos días' })).toMatchObject({ status: 200 });

  // Of many callers after its time one is the probe; it fails, and the others are refused.
  await expect
    .poll(async () => (await Promise.all(Array.from({ length: 20 }, () => translate()))).map(({ status }) => status), {
      timeout: 20_000,
    })
    .toContain(500);
  expect(failures()).toBe(run + 1);
  expect((await health()).breaker).toMatchObject({ state: 'OPEN' });

  // The engine recovers: two probes, the ramp, and all is as before.
  await bundle.heal();
  await expect.poll(async () => (await translate()).status, { timeout: 20_000 }).toBe(200);
  await expect
    .poll(
      async () => {
        await translate();
        return (await health()).breaker?.state;
      },
      { timeout: 20_000 },
    )
    .toBe('CLOSED');
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => translate()))).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await health()).toMatchObject({ status: 'healthy', reasons: [] });
});
