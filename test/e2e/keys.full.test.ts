import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { type Outcome, operatorCli } from '../support/fleet-cli.ts';
import { postJson, startLocalRun } from '../support/local-run.ts';

/** The deployed bundles behind the front, which let nobody in without a key, and keys as an operator makes them. */

const TTL_MS = 1_000;
const sentence = { q: 'Where is the library?', source: 'en', target: 'es' };
const patience = { timeout: 10 * TTL_MS, interval: 100 };

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalRun({
    environment: { CASALINGUA_ANONYMOUS_SCOPES: '', CASALINGUA_KEY_TTL_MS: String(TTL_MS) },
  });
});
afterAll(() => stack?.close());

const keysCli = (...args: string[]): Promise<Outcome> => operatorCli('keys', stack.environment, ...args);
const create = async (...args: string[]): Promise<{ key: string; id: string }> => {
  const { code, stdout, stderr } = await keysCli('create', ...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};
const bearer = (key: string | undefined) => ({ authorization: `Bearer ${key}` });
const translate = (more: object = {}, headers: Record<string, string> = {}) =>
  postJson(`${stack.url}/translate`, { ...sentence, ...more }, headers);
const statusOf = async (path: string, key?: string) =>
  (await fetch(stack.url + path, { headers: key === undefined ? {} : bearer(key) })).status;

describe('without a key', () => {
  it('nothing is served but what says that the service is alive', async () => {
    expect(await translate()).toMatchObject({
      status: 400,
      json: { error: 'Please contact the server operator to get an API key' },
    });
    expect((await postJson(`${stack.url}/pipeline/detect`, { text: 'Hello' })).status).toBe(401);
    for (const path of ['/health/detailed', '/health/models', '/metrics', '/admin/models']) {
      expect(await statusOf(path), path).toBe(401);
    }
    for (const path of ['/languages', '/health', '/liveness', '/readiness'])
      expect(await statusOf(path), path).toBe(200);
  });
});

describe('an operator', () => {
  it('makes a key that serves by header, body and address, until it is disabled', async () => {
    const { key, id } = await create('--name', 'housing office', '--scopes', 'infer', '--expires', '90d');

    expect((await translate({ api_key: key })).json['translatedText']).toMatch(/biblioteca/i);
    expect((await translate({}, bearer(key))).status).toBe(200);
    expect((await fetch(`${stack.url}/detect?q=Hello&api_key=${key}`, { method: 'POST' })).status).toBe(200);
    const form = await fetch(`${stack.url}/translate`, {
      method: 'POST',
      body: new URLSearchParams({ ...sentence, api_key: key }),
    });
    expect(form.status).toBe(200);
    expect(await statusOf('/health/detailed', key)).toBe(403);

    const disabled = await keysCli('disable', 'housing office');
    expect(disabled).toMatchObject({ code: 0, stdout: `${id} housing office is disabled\n` });
    await expect.poll(async () => (await translate({ api_key: key })).json['error'], patience).toBe('Invalid API key');
    await keysCli('enable', id);
    await expect.poll(async () => (await translate({ api_key: key })).status, patience).toBe(200);
    await keysCli('remove', id);
    await expect.poll(async () => (await translate({}, bearer(key))).status, patience).toBe(403);
  });

  it('reads and changes things with keys that may, and with no other', async () => {
    const reader = await create('--name', 'reader', '--scopes', 'read');

    expect(await statusOf('/health/detailed', reader.key)).toBe(200);
    expect(await statusOf('/health/detailed', stack.apiKey)).toBe(200);
    expect((await translate({}, bearer(reader.key))).status).toBe(403);
    const load = (key: string | undefined) =>
      fetch(`${stack.url}/admin/models/translate-en-es/load`, { method: 'POST', headers: bearer(key) });
    expect((await load(reader.key)).status).toBe(403);
    expect((await load(stack.apiKey)).status).toBe(202);
  });

  it('holds a caller to its limit on all instances, and tells it what is left', async () => {
    const { key } = await create('--name', 'modest', '--scopes', 'infer', '--requests', '6');
    const ask = () => translate({ api_key: key });
    const began = Date.now();
    const [first] = await Promise.all([ask(), ask()]);
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=6;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=[45];t=\d+$/);

    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await ask()).status);
    const cameBack = Math.floor((Date.now() - began) / 10_000);
    const through = 2 + statuses.filter((status) => status === 200).length;
    expect(through).toBeGreaterThanOrEqual(6);
    // Two instances may each let one request through that the other does not know of.
    expect(through).toBeLessThanOrEqual(8 + cameBack);
    const refused = await ask();
    expect(refused).toMatchObject({
      status: 429,
      json: { code: 'RATE_LIMITED', error: 'Slowdown: 6 requests per 1 minute' },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('sees all keys, and none of them', async () => {
    const { key, id } = await create('--name', 'listed', '--scopes', 'infer,admin', '--requests', '60');

    const { stdout } = await keysCli('list');
    expect(stdout).toMatch(
      new RegExp(`^${id} listed: (infer, admin|admin, infer), 60 requests a minute, made by .+ on `, 'm'),
    );
    expect(stdout).not.toContain(key.slice(0, 12));
    expect(JSON.parse((await keysCli('list', '--json')).stdout)).toContainEqual(
      expect.objectContaining({ id, name: 'listed', isDisabled: false }),
    );
  });

  it('is told what is wrong, by words and exit codes', async () => {
    expect(await keysCli('disable', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'no key has the name or id nobody\n',
    });
    for (const args of [
      ['create', '--name', 'x', '--scopes', 'everything'],
      ['create', '--name', 'x'],
      ['create', '--name', ' x', '--scopes', 'infer'],
      ['create', '--name', 'x', '--scopes', 'infer', '--expires', 'soon'],
      ['create', '--name', 'x', '--scopes', 'infer', '--requests', '0'],
      ['list', 'what'],
    ]) {
      expect((await keysCli(...args)).code, args.join(' ')).toBe(2);
    }
    const away = { ...stack.environment, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' };
    expect((await operatorCli('keys', away, 'list')).code).toBe(75);
  });
});
