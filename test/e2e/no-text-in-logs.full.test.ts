import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { FrontNote } from '../../infra/local/front/front.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { copyWithFaults } from '../support/local-faulty-bundle.ts';
import { inferenceBundle, startLocalRun } from '../support/local-run.ts';
import { startSwitchedRun } from '../support/local-switched-run.ts';
import { s3Client } from '../support/s3.ts';

const marker = 'The mÄrker wxyz is a private word';
/** As it would look where it was encoded or cut. */
const traces = [
  'mÄrker',
  'wxyz',
  'm\\u00c4rker',
  'm%C3%84rker',
  'mÃrker',
  Buffer.from('mÄrker').toString('base64').slice(0, 6),
];
const headers = { authorization: `Bearer cslg_wxyz${'x'.repeat(28)}`, 'x-request-id': 'm%C3%84rker wxyz' };
const monitorEveryMs = 1_000;

const texts = [
  ['/translate', { q: marker, source: 'en', target: 'es' }],
  ['/translate', { q: [marker, `<p>${marker}</p>`], source: 'auto', target: 'es', format: 'html', alternatives: 1 }],
  ['/translate', { q: marker, source: marker, target: 'es' }],
  ['/translate', { q: marker, source: 'en', target: 'es', api_key: marker }],
  ['/translate', { q: marker.repeat(1_000), source: 'en', target: 'es' }],
  ['/detect', { q: marker }],
  ['/pipeline/translate', { text: marker, source_language: 'en', target_language: 'es', domain: marker }],
  ['/pipeline/translate', { text: marker, target_language: 'es', model_name: marker }],
  ['/pipeline/translate/batch', { texts: [marker, marker], source_language: 'en', target_language: 'es' }],
  ['/pipeline/detect', { text: marker, detailed: true }],
] as const;

/** Every endpoint, each way to put a text into it, and each way to get it wrong. @returns the statuses */
async function feed({ url }: LocalStack): Promise<ReadonlySet<number>> {
  const statuses = new Set<number>();
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', ...init });
    statuses.add(answer.status);
    await answer.arrayBuffer();
  };
  const json = { 'content-type': 'application/json' };
  const query = `q=${encodeURIComponent(marker)}&api_key=${encodeURIComponent(marker)}`;
  for (const [path, body] of texts) {
    await ask(path, { headers: json, body: JSON.stringify(body) });
    const fields = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
    await ask(path, { body: new URLSearchParams(fields) });
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value);
    await ask(path, { body: form });
    await ask(`${path}?${query}`, { headers: { ...json, ...headers }, body: JSON.stringify(body) });
    await ask(path, { headers: { ...json, 'x-request-deadline-ms': '1' }, body: JSON.stringify(body) });
    await ask(path, { headers: json, body: `{"q": "${marker}` });
    await ask(path, { method: 'PUT', headers: json, body: JSON.stringify(body) });
  }
  const paths = [
    '/health/detailed',
    '/languages',
    '/metrics',
    '/admin/models',
    `/admin/models/${encodeURIComponent(marker)}`,
  ];
  for (const path of [...paths, `/${encodeURIComponent(marker)}`]) {
    await ask(`${path}?${query}`, { method: 'GET' });
    await ask(`${path}?${query}`, {
      headers: { ...json, ...headers },
      body: JSON.stringify({ why: marker, q: marker }),
    });
  }
  return statuses;
}

/** All that was written anywhere: what the functions say, the table, the bucket's `metrics/`, and what control tells of it. */
async function writtenBy(stack: LocalStack, notes: readonly FrontNote[]): Promise<readonly string[]> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const { CASALINGUA_TABLE: TableName, CASALINGUA_MODEL_BUCKET: Bucket } = stack.environment;
  const dynamo = new DynamoDBClient({ endpoint: stack.dynamoEndpoint, region: 'eu-central-1', credentials });
  const s3 = s3Client(stack.s3Endpoint);
  const objects = async () =>
    (await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'metrics/' }))).Contents?.map(({ Key }) => Key) ?? [];
  while ((await objects()).length === 0) await delay(200);
  const items = (await dynamo.send(new ScanCommand({ TableName }))).Items ?? [];
  const snapshots = await Promise.all(
    (await objects()).map(async (Key) =>
      (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString(),
    ),
  );
  const told = await Promise.all(
    ['/health/detailed', '/metrics', '/admin/memory-snapshots'].map(async (path) =>
      (await fetch(stack.url + path)).text(),
    ),
  );
  dynamo.destroy();
  s3.destroy();
  const lines = notes.flatMap((note) => (note.type === 'output' ? [note.line ?? ''] : []));
  return [...lines, ...items.map((item) => JSON.stringify(item)), ...snapshots.map(String), ...told];
}

function expectNoText(written: readonly string[]): void {
  for (const trace of traces) expect(written.filter((text) => text.includes(trace))).toEqual([]);
}

const eventsIn = (written: readonly string[]) =>
  written.flatMap((line) => (line.startsWith('{"level"') ? [JSON.parse(line) as Record<string, unknown>] : []));

describe("a user's text", () => {
  let close: () => Promise<void> = async () => {};
  afterEach(() => close());

  it('is in no log, metric or snapshot of the deployed functions, whatever is asked, also while a model fails', async () => {
    const notes: FrontNote[] = [];
    const run = await startSwitchedRun({ monitorEveryMs, onNote: (note) => notes.push(note) });
    close = run.close;

    const statuses = await feed(run.stack);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403, 404, 405]));
    await run.bundle.fail();
    expect(await feed(run.stack)).toContain(500);
    const written = await writtenBy(run.stack, notes);

    const events = eventsIn(written);
    const named = new Set(events.map(({ event }) => event));
    expect([...named]).toEqual(
      expect.arrayContaining([
        'http.request',
        'http.failure',
        'model.state',
        'breaker.state',
        'memory.snapshot',
        'monitor.task',
      ]),
    );
    expect(written.some((line) => line.includes('"CloudWatchMetrics"'))).toBe(true);
    expectNoText(written);
  });

  it('is in none of it when threads die and hang with it', async () => {
    const notes: FrontNote[] = [];
    const folder = await mkdtemp(join(tmpdir(), 'casalingua-faulty-run-'));
    const faulty = await copyWithFaults(inferenceBundle);
    const functions = join(inferenceBundle, '..');
    await cp(functions, join(folder, 'functions'), { recursive: true });
    await cp(join(functions, '..', 'local'), join(folder, 'local'), { recursive: true });
    await cp(faulty.folder, join(folder, 'functions', 'inference'), { recursive: true, force: true });
    const stack = await startLocalRun({ buildFolder: folder, monitorEveryMs, onNote: (note) => notes.push(note) });
    close = async () => {
      await stack.close();
      await faulty.remove();
      await rm(folder, { recursive: true, force: true });
    };
    const translate = async (deadlineMs = 20_000) => {
      const answer = await fetch(`${stack.url}/translate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-deadline-ms': String(deadlineMs) },
        body: JSON.stringify({ q: marker, source: 'en', target: 'es' }),
      });
      return answer.status;
    };
    expect(await translate()).toBe(200);
    faulty.set({ model: 'translate-en-es', at: 'run', what: 'exit' });
    expect(await translate()).toBe(500);
    faulty.set(undefined);
    expect(await translate()).toBe(200);
    faulty.set({ model: 'translate-en-es', at: 'run', what: 'hang' });
    expect(await translate(2_000)).toBe(504);
    faulty.set(undefined);
    const written = await writtenBy(stack, notes);

    const codes = eventsIn(written).map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['WORKER_CRASHED', 'DEADLINE_EXCEEDED']));
    expectNoText(written);
  });
});
