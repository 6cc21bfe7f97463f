import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InvokeServer, startInvokeServer } from '../../infra/local/front/invoke-server.ts';
import { createInvokeLater } from '../../shared/fleet/lambda-invoke.ts';
import { wakeEvent } from '../../shared/wake-event.ts';

/** AWS's own client against the front's part of Lambda's API. */
describe("Lambda's Invoke API, as the local front has it,", () => {
  const events: unknown[] = [];
  let server: InvokeServer;
  /** Of the next events, how many find no instance free. */
  let throttled = 0;

  beforeEach(async () => {
    events.length = 0;
    throttled = 0;
    server = await startInvokeServer((name, event) => {
      if (name !== 'inference') return undefined;
      events.push(event);
      return Promise.resolve({ type: throttled-- > 0 ? 'throttled' : 'error' });
    }, 5);
    process.env['AWS_ENDPOINT_URL_LAMBDA'] = server.endpoint;
    process.env['AWS_REGION'] = 'eu-central-1';
    process.env['AWS_ACCESS_KEY_ID'] = 'local';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'local';
  });
  afterEach(() => server.close());

  it('takes an event for a function, and does not wait for it', async () => {
    await createInvokeLater(2_000)('inference', wakeEvent, AbortSignal.timeout(2_000));
    expect(events).toEqual([wakeEvent]);
  });

  it('is tried again while no instance is free, and not when the front ends', async () => {
    throttled = 2;
    await createInvokeLater(2_000)('inference', wakeEvent, AbortSignal.timeout(2_000));
    await expect.poll(() => events.length).toBe(3);
    await delay(50);
    expect(events).toHaveLength(3);

    throttled = 1_000;
    await createInvokeLater(2_000)('inference', wakeEvent, AbortSignal.timeout(2_000));
    await server.close();
    const { length } = events;
    await delay(50);
    expect(events).toHaveLength(length);
    expect(length).toBeLessThan(50);
  });

  it('knows no other function', async () => {
    const calling = createInvokeLater(2_000)('nobody', wakeEvent, AbortSignal.timeout(2_000));
    await expect(calling).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('takes nothing by another method', async () => {
    const url = `${server.endpoint}/2015-03-31/functions/inference/invocations`;
    const headers = { 'x-amz-invocation-type': 'Event' };
    expect((await fetch(url, { method: 'PUT', headers, body: '{}' })).status).toBe(404);
    expect(events).toEqual([]);
  });

  it.each([
    ['a call that waits', '/2015-03-31/functions/inference/invocations', {}, '{}', 400],
    ['an event that is not JSON', '/2015-03-31/functions/inference/invocations', { event: true }, '{', 400],
    [
      'an event that is too large',
      '/2015-03-31/functions/inference/invocations',
      { event: true },
      'x'.repeat(262_145),
      413,
    ],
    ['a path that cannot be decoded', '/2015-03-31/functions/%E4/invocations', { event: true }, '{}', 404],
    ['anything else', '/2015-03-31/functions', { event: true }, '{}', 404],
  ])('refuses %s', async (_, path, { event }: { event?: boolean }, body, status) => {
    const headers = event ? { 'x-amz-invocation-type': 'Event' } : {};
    expect((await fetch(server.endpoint + path, { method: 'POST', headers, body })).status).toBe(status);
    expect(events).toEqual([]);
  });
});
