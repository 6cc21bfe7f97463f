import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { forceBreaker, releaseBreaker } from '../../shared/fleet/breaker/operator-steps.ts';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { modelFolders, postJson, startLocalRun } from '../support/local-run.ts';

/** The deployed bundle behind the front, with a second model for the same direction that stands in for the first. */

const PRIMARY = 'translate-en-es';
const FALLBACK = 'translate-en-es-second';
const BREAKER = `translate ${PRIMARY}@1.0.0`;
const patience = { timeout: 60_000, interval: 50 };

let folder: string;
let stack: LocalStack;
let client: DynamoDBClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casalingua-fallback-'));
  stack = await startLocalRun({
    modelFolders: [...modelFolders, await copyOfPrimary(join(folder, FALLBACK))],
    environment: {
      CASALINGUA_FALLBACKS: JSON.stringify({ [PRIMARY]: FALLBACK }),
      CASALINGUA_FLEET_TTL_MS: '500',
    },
  });
  client = new DynamoDBClient({
    endpoint: stack.dynamoEndpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client?.destroy();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

async function copyOfPrimary(to: string): Promise<string> {
  const original = modelFolders.find((path) => path.endsWith(PRIMARY)) ?? '';
  await cp(original, to, { recursive: true });
  const about = join(to, 'casalingua.json');
  await writeFile(about, JSON.stringify({ ...JSON.parse(await readFile(about, 'utf8')), id: FALLBACK }));
  return to;
}

async function pipeline() {
  const body = { text: 'I need help.', source_language: 'en', target_language: 'es' };
  const { status, headers, json } = await postJson(`${stack.url}/pipeline/translate`, body);
  return { status, header: headers.get('x-fallback-model'), data: json['data'] };
}

async function libreTranslate() {
  const body = { q: 'I need help.', source: 'en', target: 'es' };
  const { status, headers, json } = await postJson(`${stack.url}/translate`, body);
  return { status, header: headers.get('x-fallback-model'), json };
}

it('while a model’s breaker is open its fallback answers, and says so; after that the model itself', async () => {
  const itself = {
    status: 200,
    header: null,
    data: {
      translated_text: 'Necesito ayuda.',
      model_used: PRIMARY,
      used_fallback: false,
      fallback_model: null,
      primary_model: PRIMARY,
    },
  };
  await expect.poll(pipeline, patience).toMatchObject(itself);

  const table = new DynamoFleetTable(client, stack.environment['CASALINGUA_TABLE'] ?? '');
  const until = systemClock.now() + 600_000;
  await forceBreaker(table, BREAKER, { kind: 'FORCED_OPEN', by: 'a test', why: 'it is to fail', until }, systemClock);

  await expect.poll(pipeline, patience).toMatchObject({
    status: 200,
    header: FALLBACK,
    data: {
      translated_text: 'Necesito ayuda.',
      model_used: FALLBACK,
      used_fallback: true,
      fallback_model: FALLBACK,
      primary_model: PRIMARY,
    },
  });
  // LibreTranslate's body has no member for it.
  await expect
    .poll(libreTranslate, patience)
    .toEqual({ status: 200, header: FALLBACK, json: { translatedText: 'Necesito ayuda.' } });

  await releaseBreaker(table, BREAKER);
  await expect.poll(pipeline, patience).toMatchObject(itself);
  await expect
    .poll(libreTranslate, patience)
    .toEqual({ status: 200, header: null, json: { translatedText: 'Necesito ayuda.' } });
});
