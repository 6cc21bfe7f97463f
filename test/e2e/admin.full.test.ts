import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocal } from '../../infra/local/local-stack.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { modelFolders } from '../support/local-run.ts';
import { until } from '../support/process-state.ts';

/** What an operator says by the API, on a fleet that nobody asks for anything. */

const patience = { timeout: 60_000, interval: 100 };
const model = 'translate-en-es';
const root = join(import.meta.dirname, '..', '..');

let stack: LocalStack;
/** The functions' way to DynamoDB. */
let proxy: FaultProxy;

/** For the tests of one group. */
function onNewStack(): void {
  beforeAll(async () => {
    proxy = await startFaultProxy(() => stack.dynamoEndpoint);
    stack = await startLocal({
      buildFolder: join(root, 'build'),
      modelFolders,
      // With a second one it would depend on chance which of them is woken.
      instances: { inference: 1 },
      environment: { AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint },
    });
  });
  afterAll(async () => {
    await stack?.close();
    await proxy?.close();
  });
}

interface Seen {
  readonly status: string;
  readonly ready: boolean;
  readonly wish: {
    readonly want: string;
    readonly seq: number;
    readonly carried_out: number;
    readonly instances: number;
  } | null;
}

const headers = () => ({ authorization: `Bearer ${stack.apiKey}`, 'content-type': 'application/json' });
async function say(path: string, body: object = {}) {
  const answer = await fetch(stack.url + path, { method: 'POST', headers: headers(), body: JSON.stringify(body) });
  return { status: answer.status, location: answer.headers.get('location'), body: (await answer.json()) as object };
}
async function seen(path = `/admin/models/${model}`): Promise<Seen> {
  return (await (await fetch(stack.url + path, { headers: headers() })).json()) as Seen;
}

describe('an idle fleet', () => {
  onNewStack();

  it('loads a model that an operator wants, though nobody asks for anything, and keeps what is pinned', async () => {
    expect(stack.instances().filter(({ id }) => id.startsWith('inference'))).toEqual([]);

    const told = await say(`/admin/models/${model}/pin`);

    expect(told).toMatchObject({ status: 202, body: { want: 'pinned', seq: 1, announced: true, woken: true } });
    await expect
      .poll(() => seen(told.location ?? ''), patience)
      .toMatchObject({
        status: 'READY',
        ready: true,
        wish: { want: 'pinned', carried_out: 1 },
      });
  });

  it('unloads it again, once it is unpinned', async () => {
    expect(await say(`/admin/models/${model}/unload`)).toMatchObject({ status: 409, body: { code: 'MODEL_PINNED' } });
    expect((await say(`/admin/models/${model}/unpin`)).status).toBe(202);
    expect(await say(`/admin/models/${model}/unload`)).toMatchObject({ status: 202, body: { seq: 3 } });

    await expect.poll(() => seen(), patience).toMatchObject({ ready: false, wish: { seq: 3, carried_out: 1 } });
  });

  it('activates what is active already without a change, and nothing that is not there', async () => {
    const known = { status: 202, body: { version: '1.0.0', changed: false } };
    expect(await say(`/admin/models/${model}/activate`, { version: '1.0.0' })).toMatchObject(known);
    const unknown = { status: 404, body: { code: 'UNKNOWN_VERSION' } };
    expect(await say(`/admin/models/${model}/activate`, { version: '9.9.9' })).toMatchObject(unknown);
  });
});

describe('a fleet that has no instance yet', () => {
  onNewStack();

  it('carries out what is wanted when it is woken once, though the store did not answer when it looked', async () => {
    expect(await say(`/admin/models/${model}/load`)).toMatchObject({ status: 202, body: { woken: true } });
    // The instance takes so long to start that the store has gone by then.
    const asked = proxy.requests.length;
    proxy.faults.cut = Number.POSITIVE_INFINITY;
    // Looks in vain: after ten calls that failed DynamoDB's breaker would open, for ten seconds.
    await until(() => proxy.requests.length > asked + 3, patience.timeout);
    proxy.faults.cut = 0;

    await expect.poll(() => seen(), patience).toMatchObject({ ready: true, wish: { seq: 1, carried_out: 1 } });
  });
});
