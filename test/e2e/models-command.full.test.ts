import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { modelFolders, postJson, startLocalRun } from '../support/local-run.ts';
import { models } from '../support/models-cli.ts';
import { exportedFolder } from '../support/real-model.ts';

/** An export becomes a model that the system serves, by two commands. */

let stack: LocalStack;
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'casalingua-command-'));
  // Whoever reads from now on finds what is published later: nothing is known of it beforehand.
  stack = await startLocalRun({
    modelFolders: modelFolders.filter((folder) => folder.endsWith('language-detection')),
    environment: { CASALINGUA_FLEET_TTL_MS: '500', CASALINGUA_CATALOG_TTL_MS: '500' },
  });
});
afterAll(async () => {
  await stack?.close();
  await rm(work, { recursive: true, force: true });
});

it('imports an export, makes it active, warms the idle fleet, and is served', async () => {
  const out = join(work, 'out');
  const importing = ['import', exportedFolder, '--out', out, '--licence', 'CC-BY-4.0', '--activate', '--json'];
  expect(await models(stack.environment, ...importing)).toMatchObject({ code: 0 });

  const warmed = await models(stack.environment, 'warm', 'translate-en-es', '--timeout', '2m', '--json');

  expect(warmed, warmed.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(warmed.stdout)).toMatchObject({ version: '1.0.0', woken: true, ready: expect.any(Number) });
  const health = (await (await fetch(`${stack.url}/health/detailed`)).json()) as {
    models: readonly { name: string; ready: boolean }[];
  };
  expect(health.models.find(({ name }) => name === 'translate-en-es')).toMatchObject({ ready: true });
  const { status, json } = await postJson(`${stack.url}/translate`, {
    q: 'Where is the library?',
    source: 'en',
    target: 'es',
  });
  expect(status).toBe(200);
  expect(json['translatedText']).toMatch(/biblioteca/);
});
